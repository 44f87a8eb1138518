/**
 * {@code /dev/iommu}: I/O address spaces, page tables and what is attached to them, as
 * drivers/iommu/iommufd of Linux 7.3 has it.
 */
@NullMarked
package dev.iolite.mock.iommufd;

import org.jspecify.annotations.NullMarked;
