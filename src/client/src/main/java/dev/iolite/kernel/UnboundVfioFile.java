package dev.iolite.kernel;

/**
 * An opened VFIO device that is not bound to an iommufd yet.
 *
 * <p>KVM must learn of the device first: the bind looks up the device's KVM once, and never again.
 * While a caller holds this type, that order can still be kept.
 *
 * <p>Not safe for use by several threads.
 */
public interface UnboundVfioFile {
  /**
   * The device's descriptor.
   *
   * @throws IllegalStateException if the device has been bound since
   */
  Fd fd();
}
