package dev.iolite.trace;

import dev.iolite.kernel.CallerMemory;
import dev.iolite.kernel.DescriptorKinds;
import dev.iolite.kernel.StructText;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.vfio.vfio_device_feature;
import dev.iolite.uapi.vfio.vfio_device_feature_dma_buf;
import dev.iolite.uapi.vfio.vfio_region_dma_range;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** The data that follows struct vfio_device_feature in a call that asks for a dma-buf. */
final class DmaBufFeature {
  private static final long HEAD_BYTES =
      vfio_device_feature.sizeof() + vfio_device_feature_dma_buf.sizeof();

  /** The caller says how much follows; no more than this is read. */
  private static final long MAX_BYTES = 1 << 20;

  private DmaBufFeature() {}

  /** Whether a call asks for a dma-buf. */
  static boolean isAskedBy(Ioctl command, MemorySegment head) {
    return command.equals(VfioIoctls.VFIO_DEVICE_FEATURE)
        && DescriptorKinds.made(command, Optional.of(head), 0).isPresent();
  }

  /**
   * The whole argument of a call.
   *
   * @param memory the caller's memory
   * @param head its struct vfio_device_feature
   * @param address where that is
   * @return empty if the call asks for no dma-buf, or its argument can't be read
   */
  static Optional<MemorySegment> copy(
      CallerMemory memory, Ioctl command, MemorySegment head, long address) {
    if (!isAskedBy(command, head)) {
      return Optional.empty();
    }
    long bytes = Integer.toUnsignedLong(vfio_device_feature.argsz(head));
    return bytes < HEAD_BYTES || bytes > MAX_BYTES ? Optional.empty() : memory.copy(address, bytes);
  }

  /** Its fields, without those of the head. */
  static String text(MemorySegment whole) {
    MemorySegment ranges = whole.asSlice(HEAD_BYTES);
    MemoryLayout array =
        MemoryLayout.sequenceLayout(
            ranges.byteSize() / vfio_region_dma_range.sizeof(), vfio_region_dma_range.layout());
    return "%s, dma_ranges=%s"
        .formatted(
            StructText.of(
                vfio_device_feature_dma_buf.layout(), whole.asSlice(vfio_device_feature.sizeof())),
            StructText.of(array, ranges));
  }
}
