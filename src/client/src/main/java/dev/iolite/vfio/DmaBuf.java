package dev.iolite.vfio;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_feature;
import dev.iolite.uapi.vfio.vfio_device_feature_dma_buf;
import dev.iolite.uapi.vfio.vfio_region_dma_range;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A dma-buf over parts of a BAR. It may outlive the device, but is then revoked for good.
 *
 * <p>Safe for use by several threads.
 */
public final class DmaBuf implements AutoCloseable {
  private final Fd fd;
  private final PciRegion bar;
  private final List<ByteRange> ranges;

  private DmaBuf(Fd fd, PciRegion bar, List<ByteRange> ranges) {
    this.fd = fd;
    this.bar = bar;
    this.ranges = ranges;
  }

  static DmaBuf export(
      Fd device, String name, PciRegion bar, List<ByteRange> ranges, int openFlags, int flags) {
    List<ByteRange> copy = List.copyOf(ranges);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment get =
          DeviceFeatures.argument(
              arena,
              VfioFeature.DMA_BUF,
              Vfio.VFIO_DEVICE_FEATURE_GET(),
              vfio_device_feature_dma_buf.sizeof() + copy.size() * vfio_region_dma_range.sizeof());
      MemorySegment dmaBuf = get.asSlice(vfio_device_feature.sizeof());
      vfio_device_feature_dma_buf.region_index(dmaBuf, bar.index());
      vfio_device_feature_dma_buf.open_flags(dmaBuf, openFlags | Libc.O_CLOEXEC());
      vfio_device_feature_dma_buf.flags(dmaBuf, flags);
      vfio_device_feature_dma_buf.nr_ranges(dmaBuf, copy.size());
      MemorySegment array = dmaBuf.asSlice(vfio_device_feature_dma_buf.dma_ranges$offset());
      for (int i = 0; i < copy.size(); i++) {
        MemorySegment range = vfio_region_dma_range.asSlice(array, i);
        vfio_region_dma_range.offset(range, copy.get(i).offset());
        vfio_region_dma_range.length(range, copy.get(i).bytes());
      }
      String text =
          name
              + " "
              + bar
              + copy.stream().map(ByteRange::toString).collect(Collectors.joining(",", " ", ""));
      int result = device.tryIoctl(VfioIoctls.VFIO_DEVICE_FEATURE_DMA_BUF, get);
      if (result < 0) {
        throw KernelException.of(
            device.kernel(),
            VfioIoctls.VFIO_DEVICE_FEATURE.name(),
            device.target(),
            "GET of DMA_BUF over " + text.strip() + (flags == 0 ? "" : ", flags=" + flags),
            -result);
      }
      return new DmaBuf(Fd.owned(device.kernel(), FdKind.DMA_BUF, result, text), bar, copy);
    }
  }

  /** The descriptor, to be given to the kernel. */
  public Fd fd() {
    return fd;
  }

  /** The BAR. */
  public PciRegion bar() {
    return bar;
  }

  /**
   * The parts of the BAR that were asked for, in the order in which the dma-buf has them. Under a
   * proposal that distinguishes kinds, it has only what is of its kind in these parts.
   */
  public List<ByteRange> ranges() {
    return ranges;
  }

  /**
   * Its size in bytes according to the kernel, by lseek(2) to the end. See
   * drivers/dma-buf/dma-buf.c:dma_buf_llseek.
   *
   * @throws KernelException what lseek(2) said
   */
  public long bytes() {
    long bytes = fd.kernel().lseek(fd.number(), 0, Libc.SEEK_END());
    if (bytes < 0) {
      throw new KernelException("lseek", fd.target(), "", Math.toIntExact(-bytes));
    }
    return bytes;
  }

  @Override
  public void close() {
    fd.close();
  }

  @Override
  public String toString() {
    return fd.toString();
  }
}
