package dev.iolite.tdi.profile;

import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_sev_validate_mmio;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The requests that only SEV has: for the host's half of an interface's path through the IOMMU, and
 * for MMIO with its range in the report.
 *
 * @param request the proposal's request
 */
record SevRequests(ArchRequest request) implements Ability.SwitchesDma, Ability.ValidatesMmio {
  @Override
  public void switchDma(TdiBinding binding, boolean on) {
    request.make(
        on ? TsmOperation.ENABLE_DMA : TsmOperation.DISABLE_DMA,
        binding,
        on ? Tsm.IOMMU_VDEVICE_TSM_SEV_ENABLE_DMA() : Tsm.IOMMU_VDEVICE_TSM_SEV_DISABLE_DMA(),
        MemorySegment.NULL,
        MemorySegment.NULL);
  }

  @Override
  public void validateMmio(
      TdiBinding binding, long gpaBase, long gpaTop, long physical, int rangeId) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment payload = iommu_vdevice_tsm_sev_validate_mmio.allocate(arena);
      iommu_vdevice_tsm_sev_validate_mmio.gpa_base(payload, gpaBase);
      iommu_vdevice_tsm_sev_validate_mmio.gpa_top(payload, gpaTop);
      iommu_vdevice_tsm_sev_validate_mmio.pa_base(payload, physical);
      iommu_vdevice_tsm_sev_validate_mmio.range_id(payload, rangeId);
      int operation = Tsm.IOMMU_VDEVICE_TSM_VALIDATE_MMIO();
      request.make(TsmOperation.VALIDATE_MMIO, binding, operation, payload, MemorySegment.NULL);
    }
  }
}
