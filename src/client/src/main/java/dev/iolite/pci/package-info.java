/**
 * PCI functions as sysfs shows them: drivers, IOMMU groups, resources, and switching a function's
 * driver to vfio-pci and back.
 *
 * <p>Records, enums and exceptions never change: they are safe for use by several threads. Every
 * other type says which threads may use it.
 */
@NullMarked
package dev.iolite.pci;

import org.jspecify.annotations.NullMarked;
