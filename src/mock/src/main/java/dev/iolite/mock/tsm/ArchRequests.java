package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.GuestDeviceCalls;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.tsm.Arch;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_req;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;

/**
 * IOMMU_VDEVICE_TSM_REQ with an operation and an architecture. The TSM's code is returned even if
 * the request fails: 0, or the number of the error.
 *
 * @param arch the platform's; empty if it has none
 * @param operations the possible operations, by number
 */
record ArchRequests(
    AssignedTdis tdis, Optional<Arch> arch, Map<Integer, TsmRequests.Operation> operations) {
  /** A request, as the ioctl of a proposal. */
  GuestDeviceCalls.Command of(Ioctl ioctl) {
    return command(ioctl, this::execute);
  }

  /** A request with its own action. */
  static GuestDeviceCalls.Command command(Ioctl ioctl, GuestDeviceCalls.Body body) {
    return new GuestDeviceCalls.Command(ioctl, "tsm_code", body);
  }

  /**
   * Executes the call.
   *
   * @return the residue
   * @throws Refused ENOENT: no such vDEVICE; ENODEV: no VM; EINVAL: another architecture, or no
   *     such operation; EFAULT, after the operation was done, if the code can't be returned; or an
   *     error of the operation
   */
  private int execute(GuestDeviceCalls.Call call) {
    MemorySegment asked = call.argument();
    TeeFunction function = tdis.function(call.guestDevice(iommu_vdevice_tsm_req.vdevice_id(asked)));
    int wanted = iommu_vdevice_tsm_req.tvm_arch(asked);
    refuseIf(arch.filter(own -> own.number() == wanted).isEmpty(), Errno.EINVAL);
    try {
      int residue = execute(operations, function, asked);
      giveCode(call, 0);
      return residue;
    } catch (Refused e) {
      giveCode(call, -e.errno().negated());
      throw e;
    }
  }

  /**
   * Executes the operation that a request asks for.
   *
   * @throws Refused EINVAL: there is no such operation; or an error of the operation
   */
  static int execute(
      Map<Integer, TsmRequests.Operation> operations, TeeFunction function, MemorySegment asked) {
    var buffers =
        new TsmRequests.Buffers(
            iommu_vdevice_tsm_req.req_uptr(asked),
            iommu_vdevice_tsm_req.req_len(asked),
            iommu_vdevice_tsm_req.resp_uptr(asked),
            iommu_vdevice_tsm_req.resp_len(asked));
    return Optional.ofNullable(operations.get(iommu_vdevice_tsm_req.op(asked)))
        .orElseThrow(() -> Refused.refused(Errno.EINVAL))
        .execute(function, buffers);
  }

  private static void giveCode(GuestDeviceCalls.Call call, int code) {
    iommu_vdevice_tsm_req.tsm_code(call.argument(), code);
    call.respond();
  }
}
