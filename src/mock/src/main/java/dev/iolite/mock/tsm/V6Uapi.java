package dev.iolite.mock.tsm;

import dev.iolite.mock.core.Task;
import dev.iolite.tsm.Arch;
import dev.iolite.uapi.catalog.TsmV6Ioctls;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The proposal with an operation and an architecture in each request. It has no slots for private
 * MMIO: the TSM maps what a guest validates.
 */
final class V6Uapi {
  private V6Uapi() {}

  static TsmUapi of(Task task, LinkTsm tsm, Optional<Arch> arch) {
    AssignedTdis tdis = new AssignedTdis(tsm);
    TsmRequests requests = new TsmRequests(task, tsm, true);
    Map<Integer, TsmRequests.Operation> operations = requests.operations(_ -> {});
    if (arch.equals(Optional.of(Arch.SEV))) {
      operations.putAll(requests.sevOperations());
    }
    return TsmUapi.of(
        tdis,
        List.of(
            new OpCommand(tdis, _ -> {}).of(TsmV6Ioctls.IOMMU_VDEVICE_TSM_OP),
            new ArchRequests(tdis, arch, operations).of(TsmV6Ioctls.IOMMU_VDEVICE_TSM_REQ)));
  }
}
