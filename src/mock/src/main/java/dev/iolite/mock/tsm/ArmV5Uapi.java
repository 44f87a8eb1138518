package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.GuestDeviceCalls.Call;
import dev.iolite.mock.core.GuestDeviceCalls.Command;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.uapi.catalog.TsmArmV5Ioctls;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsmarmv5.TsmArmV5;
import dev.iolite.uapi.tsmarmv5.iommu_vdevice_tsm_info;
import dev.iolite.uapi.tsmarmv5.iommu_vdevice_tsm_req;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * The proposal whose bind has the number of 7.3's IOMMU_IOAS_NOIOMMU_GET_PA, a command that such a
 * kernel does not have, and whose requests have a scope. It leaves the messages in the requests to
 * the architecture. Here, INFO states what it should return (the interface's report or the
 * measurements of its device), and STATE_CHANGE takes the state, 32 bits.
 */
final class ArmV5Uapi {
  private final AssignedTdis tdis;
  private final TsmRequests requests;

  private ArmV5Uapi(AssignedTdis tdis, TsmRequests requests) {
    this.tdis = tdis;
    this.requests = requests;
  }

  static TsmUapi of(Task task, LinkTsm tsm) {
    AssignedTdis tdis = new AssignedTdis(tsm);
    ArmV5Uapi uapi = new ArmV5Uapi(tdis, new TsmRequests(task, tsm, false));
    return TsmUapi.of(
        tdis,
        List.of(
            new OpCommand(tdis, _ -> {}).of(TsmArmV5Ioctls.IOMMU_VDEVICE_TSM_OP),
            new Command(TsmArmV5Ioctls.IOMMU_VDEVICE_TSM_REQ, "resp_uptr", uapi::request)));
  }

  /** drivers/pci/tsm.c:pci_tsm_guest_req first refuses the scopes for debugging. */
  private int request(Call call) {
    MemorySegment asked = call.argument();
    refuseIf(iommu_vdevice_tsm_req.__reserved(asked) != 0, Errno.EOPNOTSUPP);
    TeeFunction function = tdis.function(call.guestDevice(iommu_vdevice_tsm_req.vdevice_id(asked)));
    int scope = iommu_vdevice_tsm_req.scope(asked);
    boolean changes = scope == TsmArmV5.IOMMU_VDEVICE_TSM_SCOPE_STATE_CHANGE();
    refuseIf(!changes && scope != TsmArmV5.IOMMU_VDEVICE_TSM_SCOPE_INFO(), Errno.EINVAL);
    var buffers =
        new TsmRequests.Buffers(
            iommu_vdevice_tsm_req.req_uptr(asked),
            iommu_vdevice_tsm_req.req_len(asked),
            iommu_vdevice_tsm_req.resp_uptr(asked),
            iommu_vdevice_tsm_req.resp_len(asked));
    return changes ? requests.setState(function, buffers, _ -> {}) : give(function, buffers);
  }

  /** A request for the report may end before the nonce. */
  private int give(TeeFunction function, TsmRequests.Buffers buffers) {
    int object = requests.payload(function, buffers, Integer.BYTES).get(ValueLayout.JAVA_INT, 0);
    if (object == Tsm.IOMMU_VDEVICE_TSM_OBJECT_REPORT()) {
      return requests.report(function, buffers);
    }
    refuseIf(object != Tsm.IOMMU_VDEVICE_TSM_OBJECT_MEASUREMENTS(), Errno.EINVAL);
    MemorySegment asked = requests.payload(function, buffers, iommu_vdevice_tsm_info.sizeof());
    return requests.measurements(function, buffers, iommu_vdevice_tsm_info.nonce(asked));
  }
}
