/**
 * A device assigned end to end on the kernel's real VFIO, iommufd and KVM, and driven to prove that
 * the assignment works.
 */
@NullMarked
package dev.iolite.passthrough;

import org.jspecify.annotations.NullMarked;
