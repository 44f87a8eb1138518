package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_req;
import dev.iolite.uapi.tsmv6.TsmV6;
import java.util.List;

/**
 * The proposal with an operation and an architecture in each request. It has no slots for private
 * MMIO: what a guest validates, the TSM maps.
 */
final class V6Profile extends VdeviceProfile {
  private final TsmRequests requests;
  private final ArchRequests archRequests;
  private final boolean isSev;

  V6Profile(Task task, LinkTsm tsm, int arch) {
    super(new AssignedTdis(tsm));
    requests = new TsmRequests(task, tsm, true);
    archRequests = new ArchRequests(tdis(), arch, this::execute);
    isSev = arch == Tsm.IOMMU_VDEVICE_TSM_ARCH_SEV();
  }

  @Override
  public List<Command> commands() {
    return List.of(
        bindOrUnbind(TsmV6.IOMMU_VDEVICE_TSM_OP(), _ -> {}),
        new Command(
            TsmV6.IOMMU_VDEVICE_TSM_REQ(),
            iommu_vdevice_tsm_req.layout(),
            "tsm_code",
            archRequests::execute));
  }

  private int execute(TeeFunction function, int operation, TsmRequests.Buffers buffers) {
    if (operation == Tsm.IOMMU_VDEVICE_TSM_VALIDATE_MMIO()) {
      return requests.validateMmio(function, buffers);
    }
    if (operation == Tsm.IOMMU_VDEVICE_TSM_SET_TDI_STATE()) {
      return requests.setState(function, buffers, _ -> {});
    }
    boolean isDma =
        operation == Tsm.IOMMU_VDEVICE_TSM_SEV_ENABLE_DMA()
            || operation == Tsm.IOMMU_VDEVICE_TSM_SEV_DISABLE_DMA();
    if (isSev && isDma) {
      return requests.switchDma(function, buffers);
    }
    throw refused(Errno.EINVAL);
  }
}
