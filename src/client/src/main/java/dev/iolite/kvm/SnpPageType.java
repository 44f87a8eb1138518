package dev.iolite.kvm;

import dev.iolite.uapi.kvm.Kvm;

/** What a page is that is added to a guest with SEV-SNP before it runs. */
public enum SnpPageType {
  /** Content that is measured. */
  NORMAL(Kvm.KVM_SEV_SNP_PAGE_TYPE_NORMAL()),
  /** Zeros, which are measured. */
  ZERO(Kvm.KVM_SEV_SNP_PAGE_TYPE_ZERO()),
  /** Content of which only the address is measured. */
  UNMEASURED(Kvm.KVM_SEV_SNP_PAGE_TYPE_UNMEASURED()),
  /** The page into which the secure processor puts the guest's own keys. */
  SECRETS(Kvm.KVM_SEV_SNP_PAGE_TYPE_SECRETS()),
  /**
   * The guest's CPUID, which the secure processor checks. If it refuses it, it writes what it wants
   * into the page that it came from.
   */
  CPUID(Kvm.KVM_SEV_SNP_PAGE_TYPE_CPUID());

  private final int number;

  SnpPageType(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }
}
