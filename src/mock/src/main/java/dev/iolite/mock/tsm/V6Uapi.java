package dev.iolite.mock.tsm;

import dev.iolite.mock.core.DmaBufSlots;
import dev.iolite.mock.core.Task;
import dev.iolite.tsm.Arch;
import dev.iolite.uapi.catalog.TsmV6Ioctls;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The proposal with an operation and an architecture in each request, as in the lab's kernel of
 * that name. It has no slots for private MMIO: the TSM maps what a guest validates. A lock is EBUSY
 * while the device has a dma-buf.
 */
final class V6Uapi {
  private static final int LAST_OPERATION = Tsm.IOMMU_VDEVICE_TSM_SEV_DISABLE_DMA();

  private V6Uapi() {}

  /** The calls; the parameters are those of {@link SeedUapi#of}. */
  static TsmUapi of(Task task, LinkTsm tsm, Optional<Arch> arch) {
    AssignedTdis tdis = new AssignedTdis(tsm);
    TsmRequests requests = new TsmRequests(task, tsm, true);
    Map<Integer, TsmRequests.Operation> operations = requests.operations(tdis::requireNoDmaBufs);
    if (arch.equals(Optional.of(Arch.SEV))) {
      operations.putAll(requests.sevOperations());
    }
    return new TsmUapi(
        new VdeviceCalls(
            tdis,
            List.of(
                new OpCommand(tdis, tdis::requireNoDmaBufs).of(TsmV6Ioctls.IOMMU_VDEVICE_TSM_OP),
                new ForwardedRequests(task, tdis, arch, LAST_OPERATION, operations)
                    .of(TsmV6Ioctls.IOMMU_VDEVICE_TSM_REQ)),
            _ -> {},
            tdis::hasViommu),
        new V6Devices(tdis),
        DmaBufSlots.none(),
        1L << TsmSeed2025.KVM_HC_TSM());
  }
}
