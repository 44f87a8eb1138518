package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.AssignedDevice;
import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.DmaBufKind;
import java.util.List;

/**
 * VFIO of the lab's kernel v6: dma-bufs have no kind, and the host reaches the shared pages of a
 * locked interface.
 */
final class V6Devices extends GuardedDevices {
  V6Devices(AssignedTdis tdis) {
    super(tdis);
  }

  /** drivers/vfio/pci/vfio_pci_dmabuf.c:vfio_pci_dma_buf_cut. */
  @Override
  public List<BarRange> cover(
      AssignedDevice device, DmaBufKind kind, int bar, List<BarRange> asked) {
    for (BarRange range : asked) {
      requireNoWrap(List.of(range));
      refuseIf(isPrivate(device, bar, range), Errno.EBUSY);
    }
    return asked;
  }

  /** drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_mmap. */
  @Override
  public void mapping(AssignedDevice device, int bar, BarRange range) {
    refuseIf(isPrivate(device, bar, range), Errno.EBUSY);
  }

  /** drivers/vfio/pci/vfio_pci_core.c:vfio_pci_vmf_insert_pfn. */
  @Override
  public boolean hidesMappings(AssignedDevice device, int bar, BarRange range) {
    return isPrivate(device, bar, range);
  }
}
