package dev.iolite.mock.tsm;

import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.tsm.Arch;
import dev.iolite.uapi.catalog.TsmSeed2025Ioctls;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import dev.iolite.uapi.tsmseed2025.iommu_vdevice_tsm_read_measurements;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The flow with a shared and a private dma-buf for each BAR, as in the lab's kernel of that name. A
 * lock is EBUSY while the device has a dma-buf; when an interface is no longer locked or running,
 * all its dma-bufs with a kind are permanently revoked.
 */
final class SeedUapi {
  private static final int LAST_OPERATION = TsmSeed2025.IOMMU_VDEVICE_TSM_READ_MEASUREMENTS();

  private SeedUapi() {}

  /**
   * The calls.
   *
   * @param arch the architecture whose requests the TSM accepts; empty: it is software and accepts
   *     all
   */
  static TsmUapi of(Task task, LinkTsm tsm, Optional<Arch> arch) {
    AssignedTdis tdis = new AssignedTdis(tsm);
    tsm.listen(function -> changed(tdis, function));
    tsm.mapsBySlots();
    Map<Integer, TsmRequests.Operation> operations = operations(task, tsm, tdis, arch);
    return new TsmUapi(
        new VdeviceCalls(
            tdis,
            List.of(
                new OpCommand(tdis, tdis::requireNoDmaBufs)
                    .of(TsmSeed2025Ioctls.IOMMU_VDEVICE_TSM_OP),
                new ForwardedRequests(task, tdis, arch, LAST_OPERATION, operations)
                    .of(TsmSeed2025Ioctls.IOMMU_VDEVICE_TSM_REQ)),
            _ -> {},
            tdis::hasViommu),
        new SeedDmaBufs(task, tdis),
        new SeedSlots(),
        1L << TsmSeed2025.KVM_HC_TSM());
  }

  private static Map<Integer, TsmRequests.Operation> operations(
      Task task, LinkTsm tsm, AssignedTdis tdis, Optional<Arch> arch) {
    TsmRequests requests = new TsmRequests(task, tsm, false);
    Map<Integer, TsmRequests.Operation> operations = requests.operations(tdis::requireNoDmaBufs);
    operations.put(TsmSeed2025.IOMMU_VDEVICE_TSM_READ_REPORT(), requests::report);
    operations.put(
        TsmSeed2025.IOMMU_VDEVICE_TSM_READ_MEASUREMENTS(),
        (function, buffers) -> {
          MemorySegment asked =
              requests.payload(function, buffers, iommu_vdevice_tsm_read_measurements.sizeof());
          MemorySegment nonce = iommu_vdevice_tsm_read_measurements.nonce(asked);
          return requests.measurements(function, buffers, nonce);
        });
    if (arch.equals(Optional.of(Arch.SEV))) {
      operations.putAll(requests.sevOperations());
    }
    return operations;
  }

  private static void changed(AssignedTdis tdis, TeeFunction function) {
    if (!tdis.tsm().isLocked(function)) {
      tdis.revoke(function);
    }
  }
}
