package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.DmaBufKind;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.pci.IoResource;
import dev.iolite.mock.pci.PciDev;
import dev.iolite.uapi.tsmseed2025.vfio_device_feature_dma_buf_runs;
import dev.iolite.uapi.vfio.vfio_device_feature_dma_buf;
import dev.iolite.uapi.vfio.vfio_region_dma_range;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** The dma-bufs of a device (drivers/vfio/pci/vfio_pci_dmabuf.c). */
final class DmaBufs {
  /** The bytes of VFIO_DEVICE_FEATURE_DMA_BUF before its ranges. */
  static final long HEAD_BYTES = vfio_device_feature_dma_buf.dma_ranges$offset();

  /** The most that kmalloc gives, in bytes. */
  private static final long LARGEST_ARRAY = 4 << 20;

  private final Task task;
  private final VfioPciDevice device;
  private final List<VfioDmaBuf> all = new ArrayList<>();

  DmaBufs(Task task, VfioPciDevice device) {
    this.task = task;
    this.device = device;
  }

  /**
   * vfio_pci_core_feature_dma_buf, from its copy of the struct on.
   *
   * @return the descriptor
   */
  int export(long address) {
    MemorySegment ask = task.in(address, HEAD_BYTES);
    int count = vfio_device_feature_dma_buf.nr_ranges(ask);
    int region = vfio_device_feature_dma_buf.region_index(ask);
    int openFlags = vfio_device_feature_dma_buf.open_flags(ask);
    refuseIf(count == 0, Errno.EINVAL);
    DmaBufKind kind = device.calls().dmaBufKind(vfio_device_feature_dma_buf.flags(ask));
    refuseIf(Integer.compareUnsigned(region, PciDev.ROM) >= 0, Errno.ENODEV);
    IoResource resource = device.pci().resource(region);
    refuseIf(!resource.isPresent() || !device.core().isReserved(region), Errno.ENODEV);
    List<BarRange> asked = ranges(address + HEAD_BYTES, Integer.toUnsignedLong(count));
    requireAligned(asked);
    device.calls().exporting(device, kind);
    List<BarRange> ranges = device.calls().cover(device, kind, region, asked);
    refuseIf(!resource.isMemory(), Errno.EINVAL);
    ranges.forEach(range -> requireInside(range, resource));
    refuseIf(!device.tryGet(), Errno.ENODEV);
    VfioDmaBuf buffer = new VfioDmaBuf(task, device, kind, region, ranges, openFlags);
    buffer.setRevoked(!device.core().isMemoryEnabled());
    all.add(buffer);
    try {
      return task.descriptors().install(buffer);
    } catch (Refused e) {
      buffer.put();
      throw e;
    }
  }

  /**
   * vfio_pci_core_feature_dma_buf_runs.
   *
   * @throws Refused EFAULT; EBADF; EINVAL: not a dma-buf, or not one of this device; once the
   *     device was closed, what is left of one no longer counts
   */
  void tellRuns(long address) {
    int fd =
        vfio_device_feature_dma_buf_runs.dmabuf_fd(
            task.in(address, vfio_device_feature_dma_buf_runs.sizeof()));
    VfioDmaBuf buffer =
        task.descriptors()
            .get(fd, VfioDmaBuf.class)
            .filter(all::contains)
            .orElseThrow(() -> refused(Errno.EINVAL));
    buffer.tellRuns(address);
  }

  /** memdup_array_user. */
  private List<BarRange> ranges(long address, long count) {
    long bytes = count * vfio_region_dma_range.sizeof();
    refuseIf(bytes > LARGEST_ARRAY, Errno.ENOMEM);
    MemorySegment array = task.in(address, bytes);
    List<BarRange> ranges = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      MemorySegment range = vfio_region_dma_range.asSlice(array, i);
      ranges.add(
          new BarRange(vfio_region_dma_range.offset(range), vfio_region_dma_range.length(range)));
    }
    return ranges;
  }

  /** validate_dmabuf_input. */
  private static void requireAligned(List<BarRange> ranges) {
    long sum = 0;
    for (BarRange range : ranges) {
      long mask = Page.BYTES - 1;
      refuseIf(range.bytes() == 0 || ((range.offset() | range.bytes()) & mask) != 0, Errno.EINVAL);
      long next = sum + range.bytes();
      refuseIf(Long.compareUnsigned(next, sum) < 0, Errno.EINVAL);
      sum = next;
    }
    // The highest bit means something else to the kernel.
    refuseIf(sum < 0, Errno.EINVAL);
  }

  /** vfio_pci_core_fill_phys_vec. */
  private static void requireInside(BarRange range, IoResource resource) {
    long start = resource.start() + range.offset();
    refuseIf(Long.compareUnsigned(start, range.offset()) < 0, Errno.EOVERFLOW);
    long end = start + range.bytes();
    refuseIf(Long.compareUnsigned(end, start) < 0, Errno.EOVERFLOW);
    refuseIf(Long.compareUnsigned(end, resource.start() + resource.bytes()) > 0, Errno.EINVAL);
  }

  /** vfio_pci_dma_buf_move: revokes all dma-bufs, or restores all of them. */
  void move(boolean revoked) {
    List.copyOf(all).forEach(buffer -> buffer.setRevoked(revoked));
  }

  /** Whether a dma-buf is not permanently revoked. */
  boolean anyLive() {
    return all.stream().anyMatch(buffer -> !buffer.isDead());
  }

  /** Permanently revokes the dma-bufs that have a kind. */
  void revokeKinds() {
    List.copyOf(all).stream()
        .filter(buffer -> buffer.kind() != DmaBufKind.PLAIN)
        .forEach(VfioDmaBuf::kill);
  }

  /** Called when a dma-buf was closed (vfio_pci_dma_buf_release). */
  void released(VfioDmaBuf buffer) {
    if (all.remove(buffer)) {
      device.put();
    }
  }

  /** vfio_pci_dma_buf_cleanup: permanently revokes those that are left. */
  void cleanup() {
    move(true);
    List<VfioDmaBuf> orphans = List.copyOf(all);
    all.clear();
    orphans.forEach(_ -> device.put());
  }
}
