package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.AssignedDevice;
import dev.iolite.mock.core.BarRange;
import java.util.List;

/**
 * VFIO that keeps the host off the TEE memory of an interface that is locked or runs
 * (drivers/vfio/pci/vfio_pci_tdi.c of the lab's patched kernels).
 */
class GuardedDevices extends NotedDevices {
  private final LinkTsm tsm;

  GuardedDevices(AssignedTdis tdis) {
    super(tdis);
    tsm = tdis.tsm();
  }

  final boolean isLocked(AssignedDevice device) {
    return tsm.isLocked(device.function());
  }

  /** drivers/vfio/pci/vfio_pci_tdi.c:vfio_pci_tdi_private. */
  @Override
  public final boolean isPrivate(AssignedDevice device, int bar, BarRange range) {
    long end = range.offset() + range.bytes();
    return isLocked(device)
        && device.function().teeRanges(bar).stream()
            .anyMatch(tee -> range.offset() < tee.offset() + tee.bytes() && tee.offset() < end);
  }

  /**
   * Checks the ranges of a dma-buf (drivers/vfio/pci/vfio_pci_dmabuf.c:vfio_pci_dma_buf_cut).
   *
   * @throws dev.iolite.mock.core.Refused EOVERFLOW: one wraps
   */
  static void requireNoWrap(List<BarRange> ranges) {
    for (BarRange range : ranges) {
      boolean wraps = Long.compareUnsigned(range.offset() + range.bytes(), range.offset()) < 0;
      refuseIf(wraps, Errno.EOVERFLOW);
    }
  }

  /** drivers/vfio/pci/vfio_pci_tdi.c:vfio_pci_tdi_disturb. */
  @Override
  public void suspending(AssignedDevice device) {
    tsm.tdi(device.function()).ifPresent(Tdi::fail);
  }
}
