package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.GuestDeviceCalls;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_req;
import java.lang.foreign.MemorySegment;

/**
 * IOMMU_VDEVICE_TSM_REQ with an operation and an architecture. The TSM's code comes back even if
 * the request fails: 0, or the number of the error.
 */
final class ArchRequests {
  private final AssignedTdis tdis;
  private final int arch;
  private final Operations operations;

  /** What a request asks for. */
  @FunctionalInterface
  interface Operations {
    /**
     * Executes a request.
     *
     * @param operation its number
     * @return the residue
     * @throws Refused EINVAL: there is no such operation; what the TSM says
     */
    int execute(TeeFunction function, int operation, TsmRequests.Buffers buffers);
  }

  /**
   * Requests.
   *
   * @param arch the platform's IOMMU_VDEVICE_TSM_ARCH_* number; 0 if it has none
   */
  ArchRequests(AssignedTdis tdis, int arch, Operations operations) {
    this.tdis = tdis;
    this.arch = arch;
    this.operations = operations;
  }

  /**
   * The call.
   *
   * @return the residue
   * @throws Refused ENOENT: no such vDEVICE; ENODEV: no VM; EINVAL: another architecture; EFAULT,
   *     after the operation was done, if the code can't be given back; what the operation says
   */
  int execute(GuestDeviceCalls.Call call) {
    MemorySegment asked = call.argument();
    TeeFunction function = tdis.function(call.guestDevice(iommu_vdevice_tsm_req.vdevice_id(asked)));
    refuseIf(arch == 0 || iommu_vdevice_tsm_req.tvm_arch(asked) != arch, Errno.EINVAL);
    try {
      var buffers =
          new TsmRequests.Buffers(
              iommu_vdevice_tsm_req.req_uptr(asked),
              iommu_vdevice_tsm_req.req_len(asked),
              iommu_vdevice_tsm_req.resp_uptr(asked),
              iommu_vdevice_tsm_req.resp_len(asked));
      int residue = operations.execute(function, iommu_vdevice_tsm_req.op(asked), buffers);
      giveCode(call, 0);
      return residue;
    } catch (Refused e) {
      giveCode(call, -e.errno().negated());
      throw e;
    }
  }

  private static void giveCode(GuestDeviceCalls.Call call, int code) {
    iommu_vdevice_tsm_req.tsm_code(call.argument(), code);
    call.respond();
  }
}
