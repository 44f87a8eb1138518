package dev.iolite.kvm;

import dev.iolite.uapi.kvm.Kvm;
import java.util.EnumSet;
import java.util.Set;

/** The type of virtual machine that KVM_CREATE_VM makes, with the kernel's numbers for x86-64. */
public enum VmType {
  /** A plain VM, whose memory the host can read. */
  DEFAULT(Kvm.KVM_X86_DEFAULT_VM()),
  /** A VM with private memory that only software protects, for development. */
  SW_PROTECTED(Kvm.KVM_X86_SW_PROTECTED_VM()),
  /** AMD SEV: encrypted memory. */
  SEV(Kvm.KVM_X86_SEV_VM()),
  /** AMD SEV-ES: encrypted memory and registers. */
  SEV_ES(Kvm.KVM_X86_SEV_ES_VM()),
  /** AMD SEV-SNP: encrypted memory and registers, and memory integrity. */
  SNP(Kvm.KVM_X86_SNP_VM()),
  /** Intel TDX. */
  TDX(Kvm.KVM_X86_TDX_VM());

  private final int number;

  VmType(int number) {
    this.number = number;
  }

  /** The number that KVM_CREATE_VM takes. */
  public int number() {
    return number;
  }

  /** The types whose bits are set, as KVM_CAP_VM_TYPES returns them. */
  static Set<VmType> ofBits(int bits) {
    Set<VmType> types = EnumSet.noneOf(VmType.class);
    for (VmType type : values()) {
      if ((bits & (1 << type.number)) != 0) {
        types.add(type);
      }
    }
    return types;
  }
}
