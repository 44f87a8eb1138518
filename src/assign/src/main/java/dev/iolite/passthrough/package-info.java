/**
 * The assignment of a device to a guest, end to end, on VFIO, iommufd and KVM. The device is driven
 * to prove that the assignment works.
 */
@NullMarked
package dev.iolite.passthrough;

import org.jspecify.annotations.NullMarked;
