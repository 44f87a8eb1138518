package dev.iolite.kernel;

/**
 * An opened VFIO device that is not bound to an iommufd yet.
 *
 * <p>KVM must learn of the device first: the bind looks up the device's KVM once, and never again.
 * Who holds this type can still keep that order.
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
