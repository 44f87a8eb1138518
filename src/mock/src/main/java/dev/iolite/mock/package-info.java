/**
 * A model of Linux 7.3 behind {@link dev.iolite.kernel.Kernel}: VFIO, iommufd, KVM and the TSM,
 * without devices, an IOMMU or privileges.
 */
@NullMarked
package dev.iolite.mock;

import org.jspecify.annotations.NullMarked;
