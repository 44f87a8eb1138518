package dev.iolite.tdi.profile;

import dev.iolite.uapi.tsm.Tsm;
import java.lang.foreign.MemorySegment;

/**
 * The requests that only SEV has: for the host's half of an interface's way through the IOMMU.
 *
 * @param request the proposal's
 */
record SevDma(ArchRequest request) implements Ability.SwitchesDma {
  @Override
  public void switchDma(TdiBinding binding, boolean on) {
    request.make(
        on ? TsmOperation.ENABLE_DMA : TsmOperation.DISABLE_DMA,
        binding,
        on ? Tsm.IOMMU_VDEVICE_TSM_SEV_ENABLE_DMA() : Tsm.IOMMU_VDEVICE_TSM_SEV_DISABLE_DMA(),
        MemorySegment.NULL,
        MemorySegment.NULL);
  }
}
