package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.AssignedDeviceCalls;
import dev.iolite.mock.core.DmaBufSlots;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import dev.iolite.uapi.tsmseed2025.iommu_vdevice_tsm_read_measurements;
import dev.iolite.uapi.tsmseed2025.iommu_vdevice_tsm_req;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The flow with a shared and a private dma-buf for each BAR. A lock is EBUSY while the host can
 * reach the device's memory by a mapped BAR or a live dma-buf; when an interface is neither locked
 * nor runs any more, all dma-bufs with a kind are revoked for good.
 */
final class SeedProfile extends VdeviceProfile {
  private final TsmRequests requests;
  private final ArchRequests archRequests;
  private final SeedDmaBufs dmaBufs;
  private final boolean isSev;

  SeedProfile(Task task, LinkTsm tsm, int arch) {
    super(new AssignedTdis(tsm));
    requests = new TsmRequests(task, tsm, false);
    archRequests = new ArchRequests(tdis(), arch, this::execute);
    dmaBufs = new SeedDmaBufs(task, tdis());
    isSev = arch == TsmSeed2025.IOMMU_VDEVICE_TSM_ARCH_SEV();
    tsm.listen(this::changed);
  }

  private void changed(TeeFunction function) {
    if (!tdis().tsm().isLocked(function)) {
      tdis().revoke(function);
    }
  }

  @Override
  public AssignedDeviceCalls assignedDevices() {
    return dmaBufs;
  }

  @Override
  public DmaBufSlots slots() {
    return new SeedSlots();
  }

  @Override
  public List<Command> commands() {
    return List.of(
        bindOrUnbind(TsmSeed2025.IOMMU_VDEVICE_TSM_OP(), this::requireUnreachable),
        new Command(
            TsmSeed2025.IOMMU_VDEVICE_TSM_REQ(),
            iommu_vdevice_tsm_req.layout(),
            "tsm_code",
            archRequests::execute));
  }

  /** Nothing may be left by which the host reaches what becomes private. */
  private void requireUnreachable(TeeFunction function) {
    boolean becomesLocked = !tdis().tsm().isLocked(function);
    refuseIf(becomesLocked && tdis().isReachableByHost(function), Errno.EBUSY);
  }

  private int execute(TeeFunction function, int operation, TsmRequests.Buffers buffers) {
    if (operation == TsmSeed2025.IOMMU_VDEVICE_TSM_VALIDATE_MMIO()) {
      return requests.validateMmio(function, buffers);
    }
    if (operation == TsmSeed2025.IOMMU_VDEVICE_TSM_SET_TDI_STATE()) {
      return requests.setState(function, buffers, this::requireUnreachable);
    }
    if (operation == TsmSeed2025.IOMMU_VDEVICE_TSM_READ_REPORT()) {
      return requests.report(function, buffers);
    }
    if (operation == TsmSeed2025.IOMMU_VDEVICE_TSM_READ_MEASUREMENTS()) {
      MemorySegment asked =
          requests.payload(function, buffers, iommu_vdevice_tsm_read_measurements.sizeof());
      MemorySegment nonce = iommu_vdevice_tsm_read_measurements.nonce(asked);
      return requests.measurements(function, buffers, nonce);
    }
    boolean isDma =
        operation == TsmSeed2025.IOMMU_VDEVICE_TSM_SEV_ENABLE_DMA()
            || operation == TsmSeed2025.IOMMU_VDEVICE_TSM_SEV_DISABLE_DMA();
    if (isSev && isDma) {
      return requests.switchDma(function, buffers);
    }
    throw refused(Errno.EINVAL);
  }
}
