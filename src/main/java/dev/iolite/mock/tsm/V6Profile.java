package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.AssignedDeviceCalls;
import dev.iolite.mock.core.GuestDevice;
import dev.iolite.mock.core.GuestDeviceCalls;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.uapi.tsmv6.TsmV6;
import dev.iolite.uapi.tsmv6.iommu_vdevice_tsm_op;
import dev.iolite.uapi.tsmv6.iommu_vdevice_tsm_req;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The proposal with an operation and an architecture in each request. It has no slots for private
 * MMIO: what a guest validates, the TSM maps.
 */
final class V6Profile implements TsmProfile, GuestDeviceCalls {
  private final AssignedTdis tdis;
  private final TsmRequests requests;
  private final ArchRequests archRequests;
  private final boolean isSev;

  V6Profile(Task task, LinkTsm tsm, int arch) {
    tdis = new AssignedTdis(tsm);
    requests = new TsmRequests(task, tsm, true);
    archRequests = new ArchRequests(tdis, arch, this::execute);
    isSev = arch == TsmV6.IOMMU_VDEVICE_TSM_ARCH_SEV();
  }

  @Override
  public GuestDeviceCalls guestDevices() {
    return this;
  }

  @Override
  public AssignedDeviceCalls assignedDevices() {
    return new NotedDevices(tdis);
  }

  @Override
  public List<Command> commands() {
    return List.of(
        new Command(
            TsmV6.IOMMU_VDEVICE_TSM_OP(),
            iommu_vdevice_tsm_op.layout(),
            "vdevice_id",
            this::operate),
        new Command(
            TsmV6.IOMMU_VDEVICE_TSM_REQ(),
            iommu_vdevice_tsm_req.layout(),
            "tsm_code",
            archRequests::execute));
  }

  private int operate(Call call) {
    MemorySegment asked = call.argument();
    return tdis.operate(
        call,
        iommu_vdevice_tsm_op.flags(asked),
        iommu_vdevice_tsm_op.vdevice_id(asked),
        iommu_vdevice_tsm_op.type(asked),
        _ -> {});
  }

  private int execute(TeeFunction function, int operation, TsmRequests.Buffers buffers) {
    if (operation == TsmV6.IOMMU_VDEVICE_TSM_VALIDATE_MMIO()) {
      return requests.validateMmio(function, buffers);
    }
    if (operation == TsmV6.IOMMU_VDEVICE_TSM_SET_TDI_STATE()) {
      return requests.setState(function, buffers, _ -> {});
    }
    boolean isDma =
        operation == TsmV6.IOMMU_VDEVICE_TSM_SEV_ENABLE_DMA()
            || operation == TsmV6.IOMMU_VDEVICE_TSM_SEV_DISABLE_DMA();
    if (isSev && isDma) {
      return requests.switchDma(function, buffers);
    }
    throw refused(Errno.EINVAL);
  }

  @Override
  public void added(GuestDevice device) {}

  @Override
  public void removed(GuestDevice device) {
    tdis.unbind(device);
  }
}
