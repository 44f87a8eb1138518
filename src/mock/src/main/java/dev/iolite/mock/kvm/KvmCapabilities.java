package dev.iolite.mock.kvm;

import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_dirty_gfn;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import java.util.HashMap;
import java.util.Map;

/**
 * What KVM_CHECK_EXTENSION answers; virt/kvm/kvm_main.c:kvm_vm_ioctl_check_extension_generic and
 * arch/x86/kvm/x86.c:kvm_vm_ioctl_check_extension. The numbers that depend on the machine are those
 * of the lab. A capability whose calls the model lacks is not here.
 */
final class KvmCapabilities {
  /** include/linux/kvm_host.h: KVM_MEM_SLOTS_NUM minus KVM_INTERNAL_MEM_SLOTS. */
  static final int USER_MEM_SLOTS = 32764;

  /** include/linux/kvm_host.h: KVM_MAX_IRQ_ROUTES. */
  static final int MAX_IRQ_ROUTES = 4096;

  /** KVM_DIRTY_LOG_MANUAL_CAPS. */
  static final int MANUAL_DIRTY_LOG = 3;

  /** kvm_caps.supported_quirks of an AMD machine. */
  static final int QUIRKS = 0xfff;

  static final int SYNC_REGS = (int) Kvm.KVM_SYNC_X86_VALID_FIELDS();

  /** arch/x86/kvm/x86.c:kvm_get_allowed_disable_exits. */
  static final int DISABLE_EXITS =
      Kvm.KVM_X86_DISABLE_EXITS_MWAIT()
          | Kvm.KVM_X86_DISABLE_EXITS_HLT()
          | Kvm.KVM_X86_DISABLE_EXITS_PAUSE();

  /** arch/x86/include/asm/kvm_host.h: KVM_GUESTDBG_VALID_MASK. */
  private static final int GUEST_DEBUG =
      Kvm.KVM_GUESTDBG_ENABLE()
          | Kvm.KVM_GUESTDBG_SINGLESTEP()
          | Kvm.KVM_GUESTDBG_USE_HW_BP()
          | Kvm.KVM_GUESTDBG_USE_SW_BP()
          | Kvm.KVM_GUESTDBG_INJECT_DB()
          | Kvm.KVM_GUESTDBG_INJECT_BP()
          | Kvm.KVM_GUESTDBG_BLOCKIRQ();

  /** arch/x86/kvm/x86.c: KVM_X2APIC_API_VALID_FLAGS. */
  static final int X2APIC_FLAGS = 15;

  private static final Map<Integer, Integer> VALUES = values();

  private KvmCapabilities() {}

  /** What {@code /dev/kvm} says. */
  static int check(KvmHost host, long capability) {
    return capability == TsmSeed2025.KVM_CAP_MEMORY_DMABUF()
        ? host.dmaBufSlots().capability(false)
        : check(host.platform(), capability);
  }

  private static int check(KvmPlatform platform, long capability) {
    if (platform.isMissing(capability)) {
      return 0;
    }
    if (capability == Kvm.KVM_CAP_VM_TYPES()) {
      return platform.vmTypes();
    }
    if (capability == Kvm.KVM_CAP_EXIT_HYPERCALL()) {
      return (int) platform.hypercallExits();
    }
    if (capability == Kvm.KVM_CAP_NR_VCPUS()) {
      return platform.processors();
    }
    if (capability == Kvm.KVM_CAP_MAX_VCPUS()) {
      return platform.maxVcpus();
    }
    if (capability == Kvm.KVM_CAP_MAX_VCPU_ID()) {
      return platform.maxVcpuIds();
    }
    if (capability == Kvm.KVM_CAP_NESTED_STATE()) {
      return platform.hasTdx() ? 0 : NestedSvm.BYTES;
    }
    if (capability == Kvm.KVM_CAP_GUEST_MEMFD_FLAGS()) {
      return (int) (Kvm.GUEST_MEMFD_FLAG_MMAP() | Kvm.GUEST_MEMFD_FLAG_INIT_SHARED());
    }
    if (capability == Kvm.KVM_CAP_MEMORY_ATTRIBUTES()) {
      return (int) Kvm.KVM_MEMORY_ATTRIBUTE_PRIVATE();
    }
    return (int) capability == capability ? VALUES.getOrDefault((int) capability, 0) : 0;
  }

  /** What a VM says. */
  static int check(KvmVm vm, long capability) {
    if (vm.platform().isMissing(capability)) {
      return 0;
    }
    if (capability == TsmSeed2025.KVM_CAP_MEMORY_DMABUF()) {
      return vm.host().dmaBufSlots().capability(vm.hasPrivateMemory());
    }
    if (capability == Kvm.KVM_CAP_GUEST_MEMFD_FLAGS()) {
      return (int) vm.guestMemfdFlags();
    }
    if (capability == Kvm.KVM_CAP_MEMORY_ATTRIBUTES()) {
      return (int) vm.supportedAttributes();
    }
    if (capability == Kvm.KVM_CAP_READONLY_MEM()) {
      return vm.hasProtectedState() ? 0 : 1;
    }
    if (capability == Kvm.KVM_CAP_SYNC_REGS()) {
      return vm.hasProtectedState() ? 0 : SYNC_REGS;
    }
    if (capability == Kvm.KVM_CAP_MULTI_ADDRESS_SPACE()) {
      return vm.addressSpaces();
    }
    if (capability == Kvm.KVM_CAP_MAX_VCPUS()) {
      return vm.maxVcpus();
    }
    if (capability == Kvm.KVM_CAP_X2APIC_API()) {
      long split = Kvm.KVM_X2APIC_ENABLE_SUPPRESS_EOI_BROADCAST();
      return (int) (vm.hasSplitIrqchip() ? X2APIC_FLAGS : X2APIC_FLAGS & ~split);
    }
    if (capability == Kvm.KVM_CAP_X86_APIC_BUS_CYCLES_NS()) {
      return vm.settings().busCycleNanos();
    }
    return check(vm.platform(), capability);
  }

  private static Map<Integer, Integer> values() {
    Map<Integer, Integer> values = new HashMap<>();
    for (int is :
        new int[] {
          Kvm.KVM_CAP_HLT(),
          Kvm.KVM_CAP_MMU_SHADOW_CACHE_CONTROL(),
          Kvm.KVM_CAP_USER_MEMORY(),
          Kvm.KVM_CAP_SET_TSS_ADDR(),
          Kvm.KVM_CAP_EXT_CPUID(),
          Kvm.KVM_CAP_MP_STATE(),
          Kvm.KVM_CAP_SYNC_MMU(),
          Kvm.KVM_CAP_DESTROY_MEMORY_REGION_WORKS(),
          Kvm.KVM_CAP_JOIN_MEMORY_REGIONS_WORKS(),
          Kvm.KVM_CAP_IRQFD(),
          Kvm.KVM_CAP_SET_BOOT_CPU_ID(),
          Kvm.KVM_CAP_IOEVENTFD(),
          Kvm.KVM_CAP_SET_IDENTITY_MAP_ADDR(),
          Kvm.KVM_CAP_INTERNAL_ERROR_DATA(),
          Kvm.KVM_CAP_ENABLE_CAP(),
          Kvm.KVM_CAP_GET_TSC_KHZ(),
          Kvm.KVM_CAP_READONLY_MEM(),
          Kvm.KVM_CAP_IRQFD_RESAMPLE(),
          Kvm.KVM_CAP_DEVICE_CTRL(),
          Kvm.KVM_CAP_EXT_EMUL_CPUID(),
          Kvm.KVM_CAP_ENABLE_CAP_VM(),
          Kvm.KVM_CAP_IOEVENTFD_NO_LENGTH(),
          Kvm.KVM_CAP_CHECK_EXTENSION_VM(),
          Kvm.KVM_CAP_DISABLE_QUIRKS(),
          Kvm.KVM_CAP_SPLIT_IRQCHIP(),
          Kvm.KVM_CAP_IOEVENTFD_ANY_LENGTH(),
          Kvm.KVM_CAP_IMMEDIATE_EXIT(),
          Kvm.KVM_CAP_GET_MSR_FEATURES(),
          Kvm.KVM_CAP_HALT_POLL(),
          Kvm.KVM_CAP_ENFORCE_PV_FEATURE_CPUID(),
          Kvm.KVM_CAP_EXIT_ON_EMULATION_FAILURE(),
          Kvm.KVM_CAP_SYSTEM_EVENT_DATA(),
          Kvm.KVM_CAP_VM_DISABLE_NX_HUGE_PAGES(),
          Kvm.KVM_CAP_USER_MEMORY2(),
          Kvm.KVM_CAP_MEMORY_FAULT_INFO(),
          Kvm.KVM_CAP_BINARY_STATS_FD(),
          Kvm.KVM_CAP_GUEST_MEMFD(),
          Kvm.KVM_CAP_PRE_FAULT_MEMORY(),
          Kvm.KVM_CAP_X86_APIC_BUS_CYCLES_NS(),
          Kvm.KVM_CAP_X86_GUEST_MODE(),
          Kvm.KVM_CAP_IRQCHIP(),
          Kvm.KVM_CAP_PIT(),
          Kvm.KVM_CAP_PIT2(),
          Kvm.KVM_CAP_PIT_STATE2(),
          Kvm.KVM_CAP_REINJECT_CONTROL(),
          Kvm.KVM_CAP_IRQ_INJECT_STATUS(),
          Kvm.KVM_CAP_SIGNAL_MSI(),
          Kvm.KVM_CAP_USER_NMI(),
          Kvm.KVM_CAP_VCPU_EVENTS(),
          Kvm.KVM_CAP_EXCEPTION_PAYLOAD(),
          Kvm.KVM_CAP_X86_TRIPLE_FAULT_EVENT(),
          Kvm.KVM_CAP_DEBUGREGS(),
          Kvm.KVM_CAP_SET_GUEST_DEBUG(),
          Kvm.KVM_CAP_X86_ROBUST_SINGLESTEP(),
          Kvm.KVM_CAP_XSAVE(),
          Kvm.KVM_CAP_XCRS(),
          Kvm.KVM_CAP_SREGS2(),
          Kvm.KVM_CAP_ONE_REG(),
          Kvm.KVM_CAP_VAPIC(),
          Kvm.KVM_CAP_VCPU_ATTRIBUTES(),
          Kvm.KVM_CAP_SYS_ATTRIBUTES(),
          Kvm.KVM_CAP_MSR_PLATFORM_INFO(),
          Kvm.KVM_CAP_X86_USER_SPACE_MSR(),
          Kvm.KVM_CAP_X86_MSR_FILTER(),
          Kvm.KVM_CAP_PMU_EVENT_FILTER(),
          Kvm.KVM_CAP_PMU_EVENT_MASKED_EVENTS(),
          Kvm.KVM_CAP_COALESCED_PIO(),
          Kvm.KVM_CAP_HYPERV_EVENTFD(),
          Kvm.KVM_CAP_HYPERV_CPUID(),
          Kvm.KVM_CAP_SYS_HYPERV_CPUID(),
          Kvm.KVM_CAP_HYPERV_SYNIC(),
          Kvm.KVM_CAP_HYPERV_SYNIC2(),
          Kvm.KVM_CAP_HYPERV_ENFORCE_CPUID()
        }) {
      values.put(is, 1);
    }
    values.put(Kvm.KVM_CAP_NR_MEMSLOTS(), USER_MEM_SLOTS);
    values.put(Kvm.KVM_CAP_SYNC_REGS(), SYNC_REGS);
    values.put(Kvm.KVM_CAP_MULTI_ADDRESS_SPACE(), 2);
    values.put(Kvm.KVM_CAP_X2APIC_API(), X2APIC_FLAGS);
    values.put(Kvm.KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2(), MANUAL_DIRTY_LOG);
    values.put(Kvm.KVM_CAP_DISABLE_QUIRKS2(), QUIRKS);
    values.put(Kvm.KVM_CAP_IRQ_ROUTING(), MAX_IRQ_ROUTES);
    values.put(Kvm.KVM_CAP_MCE(), MachineChecks.MOST_BANKS);
    values.put(Kvm.KVM_CAP_XSAVE2(), (int) FpuArea.BYTES);
    values.put(Kvm.KVM_CAP_ADJUST_CLOCK(), VmClockState.FLAGS);
    values.put(Kvm.KVM_CAP_SET_GUEST_DEBUG2(), GUEST_DEBUG);
    values.put(Kvm.KVM_CAP_X86_DISABLE_EXITS(), DISABLE_EXITS);
    values.put(Kvm.KVM_CAP_COALESCED_MMIO(), Kvm.KVM_COALESCED_MMIO_PAGE_OFFSET());
    int ring = (int) (DirtyRings.MOST_ENTRIES * kvm_dirty_gfn.sizeof());
    values.put(Kvm.KVM_CAP_DIRTY_LOG_RING(), ring);
    values.put(Kvm.KVM_CAP_DIRTY_LOG_RING_ACQ_REL(), ring);
    return Map.copyOf(values);
  }
}
