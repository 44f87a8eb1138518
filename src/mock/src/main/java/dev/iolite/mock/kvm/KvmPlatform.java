package dev.iolite.mock.kvm;

import dev.iolite.uapi.kvm.Kvm;
import java.util.Map;
import java.util.Optional;

/**
 * The kind of machine that the model's KVM runs on.
 *
 * @param vmTypes the types of VM it can make, a bit for each KVM_X86_*_VM
 * @param physicalAddressBits the width of its physical addresses
 * @param processors how many processors it has
 * @param hypercallExits the bits of KVM_CAP_EXIT_HYPERCALL
 * @param recorded what a real KVM said about its capabilities, by their numbers; empty if the model
 *     decides
 */
public record KvmPlatform(
    int vmTypes,
    int physicalAddressBits,
    int processors,
    long hypercallExits,
    Optional<Map<Integer, Integer>> recorded) {
  private static final int ALWAYS =
      1 << Kvm.KVM_X86_DEFAULT_VM() | 1 << Kvm.KVM_X86_SW_PROTECTED_VM();
  private static final int PROCESSORS = 2;

  /** arch/x86/include/asm/kvm_host.h: KVM_MAX_VCPUS. */
  private static final int MAX_VCPUS = 1024;

  /** arch/x86/include/asm/kvm_host.h: KVM_MAX_VCPU_IDS. */
  private static final int MAX_VCPU_IDS = 4 * MAX_VCPUS;

  /** The rate of its time stamp counters. A guest's counter can't have another rate. */
  static final int TSC_KHZ = 1_000_000;

  /** KVM_EXIT_HYPERCALL_VALID_MASK: KVM_HC_MAP_GPA_RANGE. */
  private static final long MAP_GPA = 1L << Hypercalls.MAP_GPA_RANGE;

  /** Copies the map. */
  public KvmPlatform {
    recorded = recorded.map(Map::copyOf);
  }

  /**
   * A machine whose KVM has said what it can do. Of that, the model says what it can do, too.
   *
   * @param capabilities what KVM said about each capability that it has, by its number
   */
  public static KvmPlatform recorded(Map<Integer, Integer> capabilities, int physicalAddressBits) {
    return new KvmPlatform(
        capabilities.getOrDefault(Kvm.KVM_CAP_VM_TYPES(), 1 << Kvm.KVM_X86_DEFAULT_VM()),
        physicalAddressBits,
        capabilities.getOrDefault(Kvm.KVM_CAP_NR_VCPUS(), PROCESSORS),
        capabilities.getOrDefault(Kvm.KVM_CAP_EXIT_HYPERCALL(), 0) & MAP_GPA,
        Optional.of(capabilities));
  }

  /** An AMD machine without SEV, like the lab's. */
  public static KvmPlatform plain() {
    return new KvmPlatform(ALWAYS, 40, PROCESSORS, MAP_GPA, Optional.empty());
  }

  /** An Intel machine with TDX. */
  public static KvmPlatform tdx() {
    return new KvmPlatform(
        ALWAYS | 1 << Kvm.KVM_X86_TDX_VM(), 52, PROCESSORS, MAP_GPA, Optional.empty());
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
        MAP_GPA,
        Optional.empty());
  }

  /** The same platform with additional bits of KVM_CAP_EXIT_HYPERCALL. */
  public KvmPlatform withHypercallExits(long more) {
    return new KvmPlatform(
        vmTypes, physicalAddressBits, processors, hypercallExits | more, recorded);
  }

  /** Whether a KVM that was recorded lacked a capability. */
  boolean isMissing(long capability) {
    return recorded
        .filter(has -> !has.containsKey((int) capability) || (int) capability != capability)
        .isPresent();
  }

  /**
   * The most vCPUs that a VM can have (KVM_MAX_VCPUS), which the kernel's configuration decides.
   */
  int maxVcpus() {
    return recorded.map(has -> has.get(Kvm.KVM_CAP_MAX_VCPUS())).orElse(MAX_VCPUS);
  }

  /** One more than the highest id of a vCPU (KVM_MAX_VCPU_IDS). */
  int maxVcpuIds() {
    return recorded.map(has -> has.get(Kvm.KVM_CAP_MAX_VCPU_ID())).orElse(MAX_VCPU_IDS);
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
