package dev.iolite.tdi.profile;

import dev.iolite.tsm.Arch;
import dev.iolite.tsm.TdiState;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_req;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_set_tdi_state;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_validate_mmio;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * IOMMU_VDEVICE_TSM_REQ with an operation and an architecture. The proposals differ in its number
 * and in the operations beyond the ones listed here.
 */
final class ArchRequest implements Ability.SetsState, Ability.ValidatesMmio {
  private final TsmCaller caller;
  private final Ioctl command;
  private final Arch arch;

  ArchRequest(TsmCaller caller, Ioctl command, Arch arch) {
    this.caller = caller;
    this.command = command;
    this.arch = arch;
  }

  @Override
  public void setState(TdiBinding binding, TdiState to) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment payload = iommu_vdevice_tsm_set_tdi_state.allocate(arena);
      iommu_vdevice_tsm_set_tdi_state.state(payload, to.number());
      int operation = Tsm.IOMMU_VDEVICE_TSM_SET_TDI_STATE();
      make(TsmOperation.SET_STATE, binding, operation, payload, MemorySegment.NULL);
    }
  }

  @Override
  public void validateMmio(
      TdiBinding binding, long gpaBase, long gpaTop, long physical, int rangeId) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment payload = iommu_vdevice_tsm_validate_mmio.allocate(arena);
      iommu_vdevice_tsm_validate_mmio.gpa_base(payload, gpaBase);
      iommu_vdevice_tsm_validate_mmio.gpa_top(payload, gpaTop);
      iommu_vdevice_tsm_validate_mmio.pa_base(payload, physical);
      int operation = Tsm.IOMMU_VDEVICE_TSM_VALIDATE_MMIO();
      make(TsmOperation.VALIDATE_MMIO, binding, operation, payload, MemorySegment.NULL);
    }
  }

  /**
   * Makes a request.
   *
   * @param operation what it is for
   * @param number the proposal's number for it
   * @param payload what is asked; empty if the operation says everything
   * @param answer the room for the answer; empty if there is none
   * @return how many bytes of the answer's room were used
   * @throws TsmCallException if it failed, or the TSM did not take all of the payload
   */
  long make(
      TsmOperation operation,
      TdiBinding binding,
      int number,
      MemorySegment payload,
      MemorySegment answer) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment req = iommu_vdevice_tsm_req.allocate(arena);
      iommu_vdevice_tsm_req.size(req, (int) iommu_vdevice_tsm_req.sizeof());
      iommu_vdevice_tsm_req.vdevice_id(req, binding.vdeviceId());
      iommu_vdevice_tsm_req.op(req, number);
      iommu_vdevice_tsm_req.tvm_arch(req, arch.number());
      iommu_vdevice_tsm_req.req_len(req, (int) payload.byteSize());
      iommu_vdevice_tsm_req.req_uptr(req, payload.address());
      iommu_vdevice_tsm_req.resp_len(req, (int) answer.byteSize());
      iommu_vdevice_tsm_req.resp_uptr(req, answer.address());
      return caller.request(
          operation, binding.iommufd(), command, req, iommu_vdevice_tsm_req::tsm_code, answer);
    }
  }
}
