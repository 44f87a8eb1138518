package dev.iolite.tdi.profile;

import dev.iolite.iommufd.VdeviceId;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.FdKind;
import dev.iolite.kernel.Ioctl;
import dev.iolite.uapi.tsmv6.TsmV6;
import dev.iolite.uapi.tsmv6.iommu_vdevice_tsm_req;
import dev.iolite.uapi.tsmv6.iommu_vdevice_tsm_set_tdi_state;
import dev.iolite.uapi.tsmv6.iommu_vdevice_tsm_validate_mmio;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * IOMMU_VDEVICE_TSM_REQ with an operation and an architecture, The proposals differ in its number
 * and in the operations after those that are here.
 */
final class ArchRequest {
  private final TsmCaller caller;
  private final Ioctl command;
  private final Arch arch;

  ArchRequest(TsmCaller caller, int number, Arch arch) {
    this.caller = caller;
    this.arch = arch;
    this.command =
        Ioctl.of(FdKind.IOMMUFD, "IOMMU_VDEVICE_TSM_REQ", number, iommu_vdevice_tsm_req.layout())
            .reportingInterrupts()
            .answering(TsmCaller.RESIDUE);
  }

  Ioctl command() {
    return command;
  }

  void setState(Fd iommufd, VdeviceId vdevice, TdiState to) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment payload = iommu_vdevice_tsm_set_tdi_state.allocate(arena);
      iommu_vdevice_tsm_set_tdi_state.state(payload, to.number());
      int operation = TsmV6.IOMMU_VDEVICE_TSM_SET_TDI_STATE();
      make(TsmOperation.SET_STATE, iommufd, vdevice, operation, payload, MemorySegment.NULL);
    }
  }

  void validateMmio(Fd iommufd, VdeviceId vdevice, long gpaBase, long gpaTop, long physical) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment payload = iommu_vdevice_tsm_validate_mmio.allocate(arena);
      iommu_vdevice_tsm_validate_mmio.gpa_base(payload, gpaBase);
      iommu_vdevice_tsm_validate_mmio.gpa_top(payload, gpaTop);
      iommu_vdevice_tsm_validate_mmio.pa_base(payload, physical);
      int operation = TsmV6.IOMMU_VDEVICE_TSM_VALIDATE_MMIO();
      make(TsmOperation.VALIDATE_MMIO, iommufd, vdevice, operation, payload, MemorySegment.NULL);
    }
  }

  void switchDma(Fd iommufd, VdeviceId vdevice, boolean on) {
    make(
        on ? TsmOperation.ENABLE_DMA : TsmOperation.DISABLE_DMA,
        iommufd,
        vdevice,
        on ? TsmV6.IOMMU_VDEVICE_TSM_SEV_ENABLE_DMA() : TsmV6.IOMMU_VDEVICE_TSM_SEV_DISABLE_DMA(),
        MemorySegment.NULL,
        MemorySegment.NULL);
  }

  /**
   * Makes a request.
   *
   * @param operation what it is for
   * @param number the proposal's number of it
   * @param payload what is asked; empty if the operation says all
   * @param answer what takes the answer; empty if there is none
   * @return how many bytes of the answer's room were used
   * @throws TsmCallException if it failed, or the TSM did not take all of the payload
   */
  long make(
      TsmOperation operation,
      Fd iommufd,
      VdeviceId vdevice,
      int number,
      MemorySegment payload,
      MemorySegment answer) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment req = iommu_vdevice_tsm_req.allocate(arena);
      iommu_vdevice_tsm_req.size(req, (int) iommu_vdevice_tsm_req.sizeof());
      iommu_vdevice_tsm_req.vdevice_id(req, vdevice.value());
      iommu_vdevice_tsm_req.op(req, number);
      iommu_vdevice_tsm_req.tvm_arch(req, arch.number());
      iommu_vdevice_tsm_req.req_len(req, (int) payload.byteSize());
      iommu_vdevice_tsm_req.req_uptr(req, payload.address());
      iommu_vdevice_tsm_req.resp_len(req, (int) answer.byteSize());
      iommu_vdevice_tsm_req.resp_uptr(req, answer.address());
      return caller.request(
          operation, iommufd, command, req, iommu_vdevice_tsm_req::tsm_code, answer);
    }
  }
}
