/**
 * PCI functions as sysfs shows them: what there is, which driver has it, its IOMMU group, and the
 * change of its driver to vfio-pci and back.
 */
@NullMarked
package dev.iolite.pci;

import org.jspecify.annotations.NullMarked;
