/**
 * VFIO's own IOMMU driver, which maps memory for the groups of a container, as in
 * drivers/vfio/vfio_iommu_type1.c of Linux 7.3.
 */
@NullMarked
package dev.iolite.mock.type1;

import org.jspecify.annotations.NullMarked;
