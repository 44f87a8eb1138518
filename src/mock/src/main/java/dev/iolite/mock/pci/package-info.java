/**
 * PCI: functions with their configuration space, the kernel's bus with its drivers and IOMMU
 * groups, and the files of sysfs that show them.
 */
@NullMarked
package dev.iolite.mock.pci;

import org.jspecify.annotations.NullMarked;
