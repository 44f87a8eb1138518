package dev.iolite.tsm;

import dev.iolite.uapi.tsm.Tsm;

/**
 * The architecture of a platform's confidential guests, with the number that all proposals use for
 * it.
 */
public enum Arch {
  /** Arm CCA. */
  CCA(Tsm.IOMMU_VDEVICE_TSM_ARCH_CCA()),
  /** AMD SEV-SNP with SEV-TIO. */
  SEV(Tsm.IOMMU_VDEVICE_TSM_ARCH_SEV()),
  /** Intel TDX with TDX Connect. */
  TDX(Tsm.IOMMU_VDEVICE_TSM_ARCH_TDX());

  private final int number;

  Arch(int number) {
    this.number = number;
  }

  /** The IOMMU_VDEVICE_TSM_ARCH_ number. */
  public int number() {
    return number;
  }
}
