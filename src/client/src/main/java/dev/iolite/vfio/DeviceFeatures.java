package dev.iolite.vfio;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_feature;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.UUID;

/**
 * The features of a device, by VFIO_DEVICE_FEATURE. See
 * drivers/vfio/vfio_main.c:vfio_ioctl_device_feature and
 * drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_ioctl_feature.
 *
 * <p>Safe for use by several threads.
 */
public final class DeviceFeatures {
  private final Fd fd;

  DeviceFeatures(Fd fd) {
    this.fd = fd;
  }

  /** The device's descriptor. */
  Fd fd() {
    return fd;
  }

  /** Whether the device has a feature, by PROBE. */
  public FeatureSupport probe(VfioFeature feature) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment probe = argument(arena, feature, Vfio.VFIO_DEVICE_FEATURE_PROBE(), 0);
      int result = fd.tryIoctl(VfioIoctls.VFIO_DEVICE_FEATURE, probe);
      if (result >= 0) {
        return FeatureSupport.SUPPORTED;
      }
      boolean isAbsent =
          result == Errno.ENOTTY.negated()
              || result == Errno.EOPNOTSUPP.negated()
              || (result == Errno.EINVAL.negated() && saysAbsentByEinval(feature));
      return isAbsent ? FeatureSupport.NOT_SUPPORTED : FeatureSupport.REFUSED;
    }
  }

  /** drivers/vfio/vfio_main.c:vfio_ioctl_device_feature_migration_precopy_info_v2: no PRE_COPY. */
  private static boolean saysAbsentByEinval(VfioFeature feature) {
    return feature == VfioFeature.MIG_PRECOPY_INFO_V2;
  }

  /**
   * Reads a feature, by GET. A dma-buf is made by {@link OpenVfioDevice#exportDmaBuf}.
   *
   * @param data the feature's struct; its content goes to the kernel and is replaced by the answer
   * @return false if the device does not have the feature (ENOTTY)
   * @throws KernelException any other errno
   * @throws IllegalArgumentException if the segment is read-only
   */
  public boolean get(VfioFeature feature, MemorySegment data) {
    if (feature == VfioFeature.DMA_BUF) {
      throw new IllegalArgumentException("a dma-buf is a descriptor: use exportDmaBuf");
    }
    return exchange(feature, Vfio.VFIO_DEVICE_FEATURE_GET(), data);
  }

  /**
   * Changes a feature, by SET. The state of migration is changed by {@link Migration#setState}.
   *
   * @param data the feature's struct, or {@link MemorySegment#NULL} if it has none; its content
   *     goes to the kernel and is replaced by the answer
   * @return false if the device does not have the feature (ENOTTY)
   * @throws KernelException any other errno
   * @throws IllegalArgumentException if the segment is read-only
   */
  public boolean set(VfioFeature feature, MemorySegment data) {
    if (feature == VfioFeature.MIG_DEVICE_STATE) {
      throw new IllegalArgumentException(
          "a change of state returns a descriptor: use Migration.setState");
    }
    return exchange(feature, Vfio.VFIO_DEVICE_FEATURE_SET(), data);
  }

  /** Makes a SET or GET whose answer may hold a descriptor, which the caller takes over. */
  boolean exchange(VfioFeature feature, int operation, MemorySegment data) {
    if (data.isReadOnly()) {
      throw new IllegalArgumentException("the answer can't go into a segment that is read-only");
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = argument(arena, feature, operation, data.byteSize());
      MemorySegment payload = argument.asSlice(vfio_device_feature.sizeof());
      payload.copyFrom(data);
      boolean has = fd.ioctl(VfioIoctls.VFIO_DEVICE_FEATURE, argument, Errno.ENOTTY) >= 0;
      if (has) {
        data.copyFrom(payload);
      }
      return has;
    }
  }

  /**
   * Sets the VF token of a physical function at vfio-pci, by SET of PCI_VF_TOKEN: from then on, who
   * opens one of its virtual functions must give it.
   *
   * @return false if the device has no virtual functions (ENOTTY)
   * @throws KernelException any other errno. See
   *     drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_feature_token
   */
  public boolean setVfToken(UUID token) {
    try (Arena arena = Arena.ofConfined()) {
      return set(VfioFeature.PCI_VF_TOKEN, VfToken.bytes(arena, token));
    }
  }

  static MemorySegment argument(Arena arena, VfioFeature feature, int operation, long dataBytes) {
    MemorySegment segment = arena.allocate(vfio_device_feature.sizeof() + dataBytes, Long.BYTES);
    vfio_device_feature.argsz(segment, Math.toIntExact(segment.byteSize()));
    vfio_device_feature.flags(segment, feature.index() | operation);
    return segment;
  }
}
