package dev.iolite.mock.kvm;

import dev.iolite.uapi.kvm.Kvm;

/**
 * The kind of machine that the model's KVM runs on.
 *
 * @param vmTypes the types of VM it can make, a bit for each KVM_X86_*_VM
 * @param physicalAddressBits the width of its physical addresses
 * @param processors how many processors it has
 * @param hypercallExits the bits of KVM_CAP_EXIT_HYPERCALL
 */
public record KvmPlatform(
    int vmTypes, int physicalAddressBits, int processors, long hypercallExits) {
  private static final int ALWAYS =
      1 << Kvm.KVM_X86_DEFAULT_VM() | 1 << Kvm.KVM_X86_SW_PROTECTED_VM();
  private static final int PROCESSORS = 2;

  /** The rate of its time stamp counters. A guest's counter can't have another rate. */
  static final int TSC_KHZ = 1_000_000;

  /** KVM_EXIT_HYPERCALL_VALID_MASK: KVM_HC_MAP_GPA_RANGE. */
  private static final long MAP_GPA = 1L << Hypercalls.MAP_GPA_RANGE;

  /** An AMD machine without SEV, like the lab's. */
  public static KvmPlatform plain() {
    return new KvmPlatform(ALWAYS, 40, PROCESSORS, MAP_GPA);
  }

  /** An Intel machine with TDX. */
  public static KvmPlatform tdx() {
    return new KvmPlatform(ALWAYS | 1 << Kvm.KVM_X86_TDX_VM(), 52, PROCESSORS, MAP_GPA);
  }

  /** An AMD machine with SEV, SEV-ES and SEV-SNP. */
  public static KvmPlatform sevSnp() {
    return new KvmPlatform(
        ALWAYS
            | 1 << Kvm.KVM_X86_SEV_VM()
            | 1 << Kvm.KVM_X86_SEV_ES_VM()
            | 1 << Kvm.KVM_X86_SNP_VM(),
        52,
        PROCESSORS,
        MAP_GPA);
  }

  /** The same platform with additional bits of KVM_CAP_EXIT_HYPERCALL. */
  public KvmPlatform withHypercallExits(long more) {
    return new KvmPlatform(vmTypes, physicalAddressBits, processors, hypercallExits | more);
  }

  /** Whether TDX works. */
  boolean hasTdx() {
    return supports(Kvm.KVM_X86_TDX_VM());
  }

  /** Whether SEV works. */
  boolean hasSev() {
    return supports(Kvm.KVM_X86_SEV_VM());
  }

  /** The last guest-physical page; arch/x86/kvm/mmu.h:kvm_mmu_max_gfn. */
  long lastPage() {
    return (1L << (physicalAddressBits - 12)) - 1;
  }

  /** Whether it makes VMs of this type; arch/x86/kvm/x86.c:kvm_is_vm_type_supported. */
  boolean supports(long type) {
    return type >= 0 && type < Integer.SIZE && (vmTypes & (1 << type)) != 0;
  }
}
