/**
 * PCI functions as sysfs shows them: drivers, IOMMU groups, resources, and the change of a
 * function's driver to vfio-pci and back.
 */
@NullMarked
package dev.iolite.pci;

import org.jspecify.annotations.NullMarked;
