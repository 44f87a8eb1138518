package dev.iolite.kvm;

/**
 * How a VM is to be encrypted.
 *
 * @param vmsaFeatures features of the vCPUs' save areas (SEV_FEATURES), of those that the attribute
 *     KVM_X86_SEV_VMSA_FEATURES offers; 0 for {@link VmType#SEV}
 * @param ghcbVersion the highest version of the GHCB protocol that the guest may use; 0 for KVM's
 *     own choice, and for {@link VmType#SEV}
 */
public record SevInit(long vmsaFeatures, int ghcbVersion) {
  /** No features, and KVM's choice of the protocol. */
  public static SevInit usual() {
    return new SevInit(0, 0);
  }
}
