package dev.iolite.tdi.profile;

/** Whose confidential guests a platform has, with the numbers that all proposals give them. */
public enum Arch {
  /** Arm CCA. */
  CCA(1),
  /** AMD SEV-SNP with SEV-TIO. */
  SEV(2),
  /** Intel TDX with TDX Connect. */
  TDX(3);

  private final int number;

  Arch(int number) {
    this.number = number;
  }

  /** The IOMMU_VDEVICE_TSM_ARCH_ number. */
  public int number() {
    return number;
  }
}
