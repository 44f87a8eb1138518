package dev.iolite.vfio;

import dev.iolite.iommufd.IovaRange;
import dev.iolite.kernel.DirtyBitmap;
import dev.iolite.kernel.HeldMemory;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.vfio.vfio_device_feature_dma_logging_control;
import dev.iolite.uapi.vfio.vfio_device_feature_dma_logging_range;
import dev.iolite.uapi.vfio.vfio_device_feature_dma_logging_report;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.OptionalLong;

/**
 * The log that a device keeps of the pages that its DMA writes. {@link DeviceFeatures#probe} of
 * {@link VfioFeature#DMA_LOGGING_START} says whether it can.
 *
 * <p>Safe for use by several threads.
 */
public final class DmaLogging {
  private final DeviceFeatures features;

  DmaLogging(DeviceFeatures features) {
    this.features = features;
  }

  /**
   * Starts the log, by SET of DMA_LOGGING_START.
   *
   * @param ranges what is logged, none overlapping another
   * @param pageBytes the page size to try for; the ranges are multiples of it
   * @return the page size that the driver chose; empty if the device cannot log (ENOTTY)
   * @throws KernelException EINVAL: no range, or ranges that overlap or are not aligned; E2BIG:
   *     more ranges than fit into a page; EOVERFLOW: a range ends at 2<sup>64</sup> and is not
   *     {@link IovaRange#ALL}; otherwise what the driver says, as a rule EINVAL if the log is on.
   *     See drivers/vfio/vfio_main.c:vfio_ioctl_device_feature_logging_start
   */
  public OptionalLong start(List<IovaRange> ranges, long pageBytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment array =
          vfio_device_feature_dma_logging_range.allocateArray(ranges.size(), arena);
      for (int i = 0; i < ranges.size(); i++) {
        MemorySegment range = vfio_device_feature_dma_logging_range.asSlice(array, i);
        vfio_device_feature_dma_logging_range.iova(range, ranges.get(i).first());
        vfio_device_feature_dma_logging_range.length(range, ranges.get(i).bytes());
      }
      MemorySegment control = vfio_device_feature_dma_logging_control.allocate(arena);
      vfio_device_feature_dma_logging_control.page_size(control, pageBytes);
      vfio_device_feature_dma_logging_control.num_ranges(control, ranges.size());
      vfio_device_feature_dma_logging_control.ranges(control, array.address());
      return features.set(VfioFeature.DMA_LOGGING_START, control)
          ? OptionalLong.of(vfio_device_feature_dma_logging_control.page_size(control))
          : OptionalLong.empty();
    }
  }

  /**
   * Reads and clears the log of a range, by GET of DMA_LOGGING_REPORT: sets the bits of the pages
   * that were written. The bitmap's page size need not be the log's, but is at least 4 KiB.
   *
   * @return false if the device cannot log (ENOTTY)
   * @throws KernelException EINVAL: the log is off. After any error, take all pages for written.
   *     See drivers/vfio/vfio_main.c:vfio_ioctl_device_feature_logging_report
   */
  public boolean report(DirtyBitmap into) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment report = vfio_device_feature_dma_logging_report.allocate(arena);
      vfio_device_feature_dma_logging_report.iova(report, into.first());
      vfio_device_feature_dma_logging_report.length(report, into.bytes());
      vfio_device_feature_dma_logging_report.page_size(report, into.pageBytes());
      vfio_device_feature_dma_logging_report.bitmap(report, into.bits().address());
      return HeldMemory.during(
              into.bits(), () -> features.get(VfioFeature.DMA_LOGGING_REPORT, report) ? 1 : 0)
          != 0;
    }
  }

  /**
   * Stops the log, by SET of DMA_LOGGING_STOP.
   *
   * @return false if the device cannot log (ENOTTY)
   * @throws KernelException what the driver says; as a rule, a log that is off is no error
   */
  public boolean stop() {
    return features.set(VfioFeature.DMA_LOGGING_STOP, MemorySegment.NULL);
  }
}
