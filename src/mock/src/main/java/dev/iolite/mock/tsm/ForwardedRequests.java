package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.GuestDevice;
import dev.iolite.mock.core.GuestDeviceCalls;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.tsm.Arch;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_req;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * IOMMU_VDEVICE_TSM_REQ of the lab's patched kernels.
 *
 * @param arch the architecture whose requests the TSM accepts; empty: it is software and accepts
 *     all
 * @param lastOperation the highest number of an operation that iommufd forwards
 * @param operations those that the TSM has
 */
record ForwardedRequests(
    Task task,
    AssignedTdis tdis,
    Optional<Arch> arch,
    int lastOperation,
    Map<Integer, TsmRequests.Operation> operations) {
  private static final int FIRST_OPERATION = Tsm.IOMMU_VDEVICE_TSM_VALIDATE_MMIO();

  /** drivers/iommu/iommufd/tsm.c: TSM_REQ_MAX. */
  private static final int MOST_BYTES = 64 << 10;

  /** The requests, as the ioctl of a proposal. */
  GuestDeviceCalls.Command of(Ioctl ioctl) {
    return ArchRequests.command(ioctl, this::request);
  }

  /**
   * drivers/iommu/iommufd/tsm.c:iommufd_vdevice_tsm_req_ioctl. A code is returned whenever the
   * vDEVICE exists; it is 0 if the TSM was not reached.
   */
  private int request(GuestDeviceCalls.Call call) {
    MemorySegment asked = call.argument();
    GuestDevice device = call.guestDevice(iommu_vdevice_tsm_req.vdevice_id(asked));
    iommu_vdevice_tsm_req.tsm_code(asked, 0);
    try {
      int residue = forward(device, asked);
      call.respond();
      return residue;
    } catch (Refused e) {
      call.respond();
      throw e;
    }
  }

  /** drivers/iommu/iommufd/tsm.c:tsm_req. */
  private int forward(GuestDevice device, MemorySegment asked) {
    TeeFunction function = tdis.function(device);
    int operation = iommu_vdevice_tsm_req.op(asked);
    refuseIf(!takes(iommu_vdevice_tsm_req.tvm_arch(asked)), Errno.EINVAL);
    refuseIf(operation < FIRST_OPERATION || operation > lastOperation, Errno.EINVAL);
    int bytes = iommu_vdevice_tsm_req.req_len(asked);
    int room = iommu_vdevice_tsm_req.resp_len(asked);
    refuseIf(Integer.compareUnsigned(bytes, MOST_BYTES) > 0 || room < 0, Errno.E2BIG);
    task.in(iommu_vdevice_tsm_req.req_uptr(asked), bytes);
    tdis.tsm().requireBound(function);
    try {
      tdis.tsm().requireReached(function);
      return ArchRequests.execute(operations, function, asked);
    } catch (Refused e) {
      iommu_vdevice_tsm_req.tsm_code(asked, -e.errno().negated());
      throw e;
    }
  }

  /** drivers/iommu/iommufd/tsm.c:tsm_req, and what a TSM's driver adds. */
  private boolean takes(int asked) {
    return arch.map(Stream::of)
        .orElseGet(() -> Stream.of(Arch.values()))
        .anyMatch(one -> one.number() == asked);
  }
}
