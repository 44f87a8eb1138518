/**
 * {@code /dev/iommu}: I/O address spaces, page tables and what is attached to them, as in
 * drivers/iommu/iommufd of Linux 7.3.
 */
@NullMarked
package dev.iolite.mock.iommufd;

import org.jspecify.annotations.NullMarked;
