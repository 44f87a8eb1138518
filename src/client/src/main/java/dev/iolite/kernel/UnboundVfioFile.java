package dev.iolite.kernel;

/**
 * An opened VFIO device that is not bound to an iommufd yet.
 *
 * <p>KVM must be told of the device before that: the bind looks up the device's KVM once, and never
 * again. Holding this type is the proof that the order can still be kept.
 */
public interface UnboundVfioFile {
  /**
   * The device's descriptor.
   *
   * @throws IllegalStateException if the device has been bound since
   */
  Fd fd();
}
