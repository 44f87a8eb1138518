package dev.iolite.kvm;

import dev.iolite.uapi.catalog.UapiCatalog;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_enable_cap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A property or feature of KVM, queried with KVM_CHECK_EXTENSION.
 *
 * @param name its name in the headers, without {@code KVM_CAP_}
 * @param number its number
 */
public record Capability(String name, int number) {
  private static final String PREFIX = "KVM_CAP_";

  /** The recommended maximum number of vCPUs in a VM. */
  public static final Capability NR_VCPUS = new Capability("NR_VCPUS", Kvm.KVM_CAP_NR_VCPUS());

  /** The maximum number of vCPUs in a VM. */
  public static final Capability MAX_VCPUS = new Capability("MAX_VCPUS", Kvm.KVM_CAP_MAX_VCPUS());

  /** One more than the largest vCPU id. */
  public static final Capability MAX_VCPU_ID =
      new Capability("MAX_VCPU_ID", Kvm.KVM_CAP_MAX_VCPU_ID());

  /** The maximum number of memory slots in a VM. */
  public static final Capability NR_MEMSLOTS =
      new Capability("NR_MEMSLOTS", Kvm.KVM_CAP_NR_MEMSLOTS());

  /** Which types of VM there are, a bit for each; 0 on a kernel that has only the default one. */
  public static final Capability VM_TYPES = new Capability("VM_TYPES", Kvm.KVM_CAP_VM_TYPES());

  /** KVM_SET_USER_MEMORY_REGION2. */
  public static final Capability USER_MEMORY2 =
      new Capability("USER_MEMORY2", Kvm.KVM_CAP_USER_MEMORY2());

  /** Which bits KVM_SET_MEMORY_ATTRIBUTES accepts; 0 if it accepts none. */
  public static final Capability MEMORY_ATTRIBUTES =
      new Capability("MEMORY_ATTRIBUTES", Kvm.KVM_CAP_MEMORY_ATTRIBUTES());

  /** KVM_CREATE_GUEST_MEMFD. */
  public static final Capability GUEST_MEMFD =
      new Capability("GUEST_MEMFD", Kvm.KVM_CAP_GUEST_MEMFD());

  /** Which flags KVM_CREATE_GUEST_MEMFD accepts. */
  public static final Capability GUEST_MEMFD_FLAGS =
      new Capability("GUEST_MEMFD_FLAGS", Kvm.KVM_CAP_GUEST_MEMFD_FLAGS());

  /** The field {@code immediate_exit} of kvm_run, on which a run's deadline relies. */
  public static final Capability IMMEDIATE_EXIT =
      new Capability("IMMEDIATE_EXIT", Kvm.KVM_CAP_IMMEDIATE_EXIT());

  /** Which hypercalls can be made to leave the guest, a bit for each. */
  public static final Capability EXIT_HYPERCALL =
      new Capability("EXIT_HYPERCALL", Kvm.KVM_CAP_EXIT_HYPERCALL());

  /** The interrupt controllers of the processors in the kernel, all others in the VMM. */
  public static final Capability SPLIT_IRQCHIP =
      new Capability("SPLIT_IRQCHIP", Kvm.KVM_CAP_SPLIT_IRQCHIP());

  /** The timer of a local APIC in the kernel can be set to a time of the TSC. */
  public static final Capability TSC_DEADLINE_TIMER =
      new Capability("TSC_DEADLINE_TIMER", Kvm.KVM_CAP_TSC_DEADLINE_TIMER());

  /**
   * Clearing the dirty log by hand; its bits are the options of {@link VmDirtyLog#protectManually}.
   */
  public static final Capability MANUAL_DIRTY_LOG_PROTECT2 =
      new Capability("MANUAL_DIRTY_LOG_PROTECT2", Kvm.KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2());

  /** How long a vCPU that is halted is polled for, in nanoseconds: {@code args[0]}. */
  public static final Capability HALT_POLL = new Capability("HALT_POLL", Kvm.KVM_CAP_HALT_POLL());

  /** A ring of dirty pages for each vCPU; the value is the largest size in bytes. */
  public static final Capability DIRTY_LOG_RING =
      new Capability("DIRTY_LOG_RING", Kvm.KVM_CAP_DIRTY_LOG_RING());

  /** The same as DIRTY_LOG_RING, which is also for processors that order memory accesses weakly. */
  public static final Capability DIRTY_LOG_RING_ACQ_REL =
      new Capability("DIRTY_LOG_RING_ACQ_REL", Kvm.KVM_CAP_DIRTY_LOG_RING_ACQ_REL());

  /** KVM_X86_QUIRK_ bits of what is to be as in hardware, whichever KVM knows. */
  public static final Capability DISABLE_QUIRKS =
      new Capability("DISABLE_QUIRKS", Kvm.KVM_CAP_DISABLE_QUIRKS());

  /** KVM_X86_QUIRK_ bits of what is to be as in hardware; the value has those that KVM knows. */
  public static final Capability DISABLE_QUIRKS2 =
      new Capability("DISABLE_QUIRKS2", Kvm.KVM_CAP_DISABLE_QUIRKS2());

  /** KVM_X2APIC_ bits of how the interrupt controllers of more than 255 vCPUs behave. */
  public static final Capability X2APIC_API =
      new Capability("X2APIC_API", Kvm.KVM_CAP_X2APIC_API());

  /** KVM_X86_DISABLE_EXITS_ bits of instructions that do not leave the guest. */
  public static final Capability X86_DISABLE_EXITS =
      new Capability("X86_DISABLE_EXITS", Kvm.KVM_CAP_X86_DISABLE_EXITS());

  /** Whether the guest may read MSR_PLATFORM_INFO: 0 or 1. */
  public static final Capability MSR_PLATFORM_INFO =
      new Capability("MSR_PLATFORM_INFO", Kvm.KVM_CAP_MSR_PLATFORM_INFO());

  /** Whether {@link VcpuEvents} tells a pending exception from an injected one: 0 or 1. */
  public static final Capability EXCEPTION_PAYLOAD =
      new Capability("EXCEPTION_PAYLOAD", Kvm.KVM_CAP_EXCEPTION_PAYLOAD());

  /** Whether {@link VcpuEvents} has the triple fault: 0 or 1. */
  public static final Capability X86_TRIPLE_FAULT_EVENT =
      new Capability("X86_TRIPLE_FAULT_EVENT", Kvm.KVM_CAP_X86_TRIPLE_FAULT_EVENT());

  /** KVM_MSR_EXIT_REASON_ bits; see {@link VmMsrs#exitOn}. */
  public static final Capability X86_USER_SPACE_MSR =
      new Capability("X86_USER_SPACE_MSR", Kvm.KVM_CAP_X86_USER_SPACE_MSR());

  /** KVM_X86_SET_MSR_FILTER. */
  public static final Capability X86_MSR_FILTER =
      new Capability("X86_MSR_FILTER", Kvm.KVM_CAP_X86_MSR_FILTER());

  /** KVM_BUS_LOCK_DETECTION_ bits: whether a bus lock leaves the guest. */
  public static final Capability X86_BUS_LOCK_EXIT =
      new Capability("X86_BUS_LOCK_EXIT", Kvm.KVM_CAP_X86_BUS_LOCK_EXIT());

  /** The descriptor of an attribute of SGX that the guest may use. */
  public static final Capability SGX_ATTRIBUTE =
      new Capability("SGX_ATTRIBUTE", Kvm.KVM_CAP_SGX_ATTRIBUTE());

  /** The descriptor of the VM whose encryption key this one gets, too. */
  public static final Capability VM_COPY_ENC_CONTEXT_FROM =
      new Capability("VM_COPY_ENC_CONTEXT_FROM", Kvm.KVM_CAP_VM_COPY_ENC_CONTEXT_FROM());

  /** The descriptor of the VM whose encrypted state moves to this one. */
  public static final Capability VM_MOVE_ENC_CONTEXT_FROM =
      new Capability("VM_MOVE_ENC_CONTEXT_FROM", Kvm.KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM());

  /**
   * Whether an instruction that KVM can't emulate leaves the guest at every privilege level: 0 or
   * 1.
   */
  public static final Capability EXIT_ON_EMULATION_FAILURE =
      new Capability("EXIT_ON_EMULATION_FAILURE", Kvm.KVM_CAP_EXIT_ON_EMULATION_FAILURE());

  /** KVM_PMU_CAP_DISABLE: the guest has no performance counters. */
  public static final Capability PMU_CAPABILITY =
      new Capability("PMU_CAPABILITY", Kvm.KVM_CAP_PMU_CAPABILITY());

  /** KVM_SET_PMU_EVENT_FILTER. */
  public static final Capability PMU_EVENT_FILTER =
      new Capability("PMU_EVENT_FILTER", Kvm.KVM_CAP_PMU_EVENT_FILTER());

  /** Masked events in a {@link PmuEventFilter}. */
  public static final Capability PMU_EVENT_MASKED_EVENTS =
      new Capability("PMU_EVENT_MASKED_EVENTS", Kvm.KVM_CAP_PMU_EVENT_MASKED_EVENTS());

  /**
   * KVM_X86_NOTIFY_VMEXIT_ bits, and how many cycles above them: a guest that takes no interrupt
   * for so long exits.
   */
  public static final Capability X86_NOTIFY_VMEXIT =
      new Capability("X86_NOTIFY_VMEXIT", Kvm.KVM_CAP_X86_NOTIFY_VMEXIT());

  /** Huge pages of the guest stay executable: 0, before the first vCPU, with CAP_SYS_BOOT. */
  public static final Capability VM_DISABLE_NX_HUGE_PAGES =
      new Capability("VM_DISABLE_NX_HUGE_PAGES", Kvm.KVM_CAP_VM_DISABLE_NX_HUGE_PAGES());

  /** How long a cycle of the local APICs' timers is, in nanoseconds. */
  public static final Capability X86_APIC_BUS_CYCLES_NS =
      new Capability("X86_APIC_BUS_CYCLES_NS", Kvm.KVM_CAP_X86_APIC_BUS_CYCLES_NS());

  /** On a vCPU: Hyper-V's interrupt controller. */
  public static final Capability HYPERV_SYNIC =
      new Capability("HYPERV_SYNIC", Kvm.KVM_CAP_HYPERV_SYNIC());

  /** On a vCPU: Hyper-V's interrupt controller, whose pages KVM does not clear. */
  public static final Capability HYPERV_SYNIC2 =
      new Capability("HYPERV_SYNIC2", Kvm.KVM_CAP_HYPERV_SYNIC2());

  /** On a vCPU: where to write the versions of Hyper-V's VMCS. */
  public static final Capability HYPERV_ENLIGHTENED_VMCS =
      new Capability("HYPERV_ENLIGHTENED_VMCS", Kvm.KVM_CAP_HYPERV_ENLIGHTENED_VMCS());

  /** On a vCPU: Hyper-V flushes TLBs for the guest's own guests. */
  public static final Capability HYPERV_DIRECT_TLBFLUSH =
      new Capability("HYPERV_DIRECT_TLBFLUSH", Kvm.KVM_CAP_HYPERV_DIRECT_TLBFLUSH());

  /** On a vCPU: the guest uses only what of Hyper-V its CPUID has: 0 or 1. */
  public static final Capability HYPERV_ENFORCE_CPUID =
      new Capability("HYPERV_ENFORCE_CPUID", Kvm.KVM_CAP_HYPERV_ENFORCE_CPUID());

  /** On a vCPU: the guest uses only what of KVM its CPUID has: 0 or 1. */
  public static final Capability ENFORCE_PV_FEATURE_CPUID =
      new Capability("ENFORCE_PV_FEATURE_CPUID", Kvm.KVM_CAP_ENFORCE_PV_FEATURE_CPUID());

  /** KVM_GET_XSAVE2; the value is the size of the XSAVE area. */
  public static final Capability XSAVE2 = new Capability("XSAVE2", Kvm.KVM_CAP_XSAVE2());

  /** KVM_GET_NESTED_STATE; the value is the largest size. */
  public static final Capability NESTED_STATE =
      new Capability("NESTED_STATE", Kvm.KVM_CAP_NESTED_STATE());

  /** KVM_SET_TSC_KHZ at any rate. */
  public static final Capability TSC_CONTROL =
      new Capability("TSC_CONTROL", Kvm.KVM_CAP_TSC_CONTROL());

  /** KVM_GET_CLOCK; the value has the KVM_CLOCK_ flags. */
  public static final Capability ADJUST_CLOCK =
      new Capability("ADJUST_CLOCK", Kvm.KVM_CAP_ADJUST_CLOCK());

  /** KVM_X86_SETUP_MCE; the value is the number of banks. */
  public static final Capability MCE = new Capability("MCE", Kvm.KVM_CAP_MCE());

  /** KVM_REGISTER_COALESCED_MMIO; the value is the page of the ring. */
  public static final Capability COALESCED_MMIO =
      new Capability("COALESCED_MMIO", Kvm.KVM_CAP_COALESCED_MMIO());

  /** {@link CoalescedIo#addPorts}. */
  public static final Capability COALESCED_PIO =
      new Capability("COALESCED_PIO", Kvm.KVM_CAP_COALESCED_PIO());

  /** KVM_GET_STATS_FD. */
  public static final Capability BINARY_STATS_FD =
      new Capability("BINARY_STATS_FD", Kvm.KVM_CAP_BINARY_STATS_FD());

  /** KVM_GET_ONE_REG. */
  public static final Capability ONE_REG = new Capability("ONE_REG", Kvm.KVM_CAP_ONE_REG());

  /** Xen's interface; the value has KVM_XEN_HVM_CONFIG_ flags. */
  public static final Capability XEN_HVM = new Capability("XEN_HVM", Kvm.KVM_CAP_XEN_HVM());

  /** KVM_GET_SUPPORTED_HV_CPUID. */
  public static final Capability HYPERV_CPUID =
      new Capability("HYPERV_CPUID", Kvm.KVM_CAP_HYPERV_CPUID());

  /** KVM_SET_GUEST_DEBUG; the value has its KVM_GUESTDBG_ flags. */
  public static final Capability SET_GUEST_DEBUG2 =
      new Capability("SET_GUEST_DEBUG2", Kvm.KVM_CAP_SET_GUEST_DEBUG2());

  /** A capability that the bindings do not know, by its number. */
  public static Capability raw(int number) {
    return new Capability("#" + number, number);
  }

  /** The argument of KVM_ENABLE_CAP. */
  MemorySegment enabled(Arena arena, long... args) {
    MemorySegment argument = kvm_enable_cap.allocate(arena);
    kvm_enable_cap.cap(argument, number);
    for (int i = 0; i < args.length; i++) {
      kvm_enable_cap.args(argument, i, args[i]);
    }
    return argument;
  }

  /** Every capability in the headers, of all architectures, in the headers' order. */
  public static List<Capability> all() {
    return UapiCatalog.constants().stream()
        .filter(constant -> constant.name().startsWith(PREFIX))
        .map(constant ->
            new Capability(
                constant.name().substring(PREFIX.length()), Math.toIntExact(constant.value())))
        .toList();
  }
}
