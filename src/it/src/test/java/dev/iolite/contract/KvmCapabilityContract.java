package dev.iolite.contract;

import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CHECK_EXTENSION_ON_VM;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CLEAR_DIRTY_LOG;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_DEVICE;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_IRQCHIP;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_PIT;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_PIT2;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_VCPU;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_VM;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_ENABLE_CAP;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_ENABLE_CAP_ON_VCPU;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_CLOCK;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_CPUID2;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_DEBUGREGS;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_EMULATED_CPUID;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_MP_STATE;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_MSRS;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_MSR_FEATURE_INDEX_LIST;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_NESTED_STATE;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_PIT2;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_REG_LIST;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_SREGS;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_SREGS2;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_STATS_FD;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_STATS_FD_ON_VCPU;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_SUPPORTED_CPUID;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_SUPPORTED_HV_CPUID;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_SUPPORTED_HV_CPUID_ON_VCPU;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_TSC_KHZ;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_TSC_KHZ_ON_VCPU;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_VCPU_EVENTS;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_XCRS;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_XSAVE;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_XSAVE2;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_HAS_DEVICE_ATTR;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_HAS_DEVICE_ATTR_ON_VCPU;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_HYPERV_EVENTFD;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_IOEVENTFD;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_IRQFD;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_IRQ_LINE;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_IRQ_LINE_STATUS;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_NMI;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_PRE_FAULT_MEMORY;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_REGISTER_COALESCED_MMIO;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_REINJECT_CONTROL;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_RUN;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_BOOT_CPU_ID;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_CPUID2;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_GSI_ROUTING;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_GUEST_DEBUG;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_IDENTITY_MAP_ADDR;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_MP_STATE;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_NR_MMU_PAGES;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_PMU_EVENT_FILTER;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_SREGS;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_TSC_KHZ;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_TSC_KHZ_ON_VCPU;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_TSS_ADDR;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_VAPIC_ADDR;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SIGNAL_MSI;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SMI;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_X86_GET_MCE_CAP_SUPPORTED;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_X86_SET_MSR_FILTER;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.iolite.kernel.Errno;
import dev.iolite.kvm.Capability;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_clear_dirty_log;
import dev.iolite.uapi.kvm.kvm_clock_data;
import dev.iolite.uapi.kvm.kvm_coalesced_mmio_zone;
import dev.iolite.uapi.kvm.kvm_cpuid2;
import dev.iolite.uapi.kvm.kvm_cpuid_entry2;
import dev.iolite.uapi.kvm.kvm_create_device;
import dev.iolite.uapi.kvm.kvm_debugregs;
import dev.iolite.uapi.kvm.kvm_device_attr;
import dev.iolite.uapi.kvm.kvm_enable_cap;
import dev.iolite.uapi.kvm.kvm_guest_debug;
import dev.iolite.uapi.kvm.kvm_hyperv_eventfd;
import dev.iolite.uapi.kvm.kvm_ioeventfd;
import dev.iolite.uapi.kvm.kvm_irq_level;
import dev.iolite.uapi.kvm.kvm_irq_routing;
import dev.iolite.uapi.kvm.kvm_irqfd;
import dev.iolite.uapi.kvm.kvm_mp_state;
import dev.iolite.uapi.kvm.kvm_msi;
import dev.iolite.uapi.kvm.kvm_msr_entry;
import dev.iolite.uapi.kvm.kvm_msr_filter;
import dev.iolite.uapi.kvm.kvm_msr_list;
import dev.iolite.uapi.kvm.kvm_msrs;
import dev.iolite.uapi.kvm.kvm_nested_state;
import dev.iolite.uapi.kvm.kvm_pit_config;
import dev.iolite.uapi.kvm.kvm_pit_state2;
import dev.iolite.uapi.kvm.kvm_pmu_event_filter;
import dev.iolite.uapi.kvm.kvm_pre_fault_memory;
import dev.iolite.uapi.kvm.kvm_reg_list;
import dev.iolite.uapi.kvm.kvm_reinject_control;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.kvm.kvm_segment;
import dev.iolite.uapi.kvm.kvm_sregs;
import dev.iolite.uapi.kvm.kvm_sregs2;
import dev.iolite.uapi.kvm.kvm_stats_desc;
import dev.iolite.uapi.kvm.kvm_stats_header;
import dev.iolite.uapi.kvm.kvm_vapic_addr;
import dev.iolite.uapi.kvm.kvm_vcpu_events;
import dev.iolite.uapi.kvm.kvm_xcrs;
import dev.iolite.uapi.kvm.kvm_xsave;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;

/** What KVM says that it can do is what its calls do. */
abstract class KvmCapabilityContract extends KvmContract {
  private static final long DATA = 0x2000;
  private static final int MOST_ENTRIES = 256;

  private static final long EFER_LME = 1 << 8;
  private static final long EFER_LMA = 1 << 10;
  private static final long CR0_PE = 1;
  private static final long CR0_PG = 1L << 31;
  private static final long CR4_PAE = 1 << 5;
  private static final long CR4_SMEP = 1 << 20;
  private static final long APIC_X2APIC = 1 << 10;
  private static final long APIC_ENABLED = 1 << 11;
  private static final long APIC_BOOT_PROCESSOR = 1 << 8;

  /** What only says what kvm_run has or how a guest is, and what the seed's contract has. */
  private static final Set<String> WITHOUT_CALLS =
      Set.of("SYSTEM_EVENT_DATA", "X86_GUEST_MODE", "X86_ROBUST_SINGLESTEP", "MEMORY_DMABUF");

  private static final Map<String, Integer> NUMBERS =
      Capability.all().stream().collect(Collectors.toMap(Capability::name, Capability::number));

  KvmCapabilityContract(Backend backend) {
    super(backend);
  }

  /** A capability's calls. */
  interface Calls {
    /** Makes them on a VM; a negated errno if they do not work. */
    long on(int vm);
  }

  /** What is a row of this table works where it is offered, and does not where it is not. */
  private Map<String, Calls> ofAnyVm() {
    Map<String, Calls> rows = new LinkedHashMap<>();
    rows.put("HLT", vm -> exits(vm, Kvm.KVM_EXIT_HLT(), 0xf4));
    rows.put("MMU_SHADOW_CACHE_CONTROL", vm -> ioctl(vm, KVM_SET_NR_MMU_PAGES, 1000));
    rows.put("USER_MEMORY", vm -> setV1(vm, 0, 0, DATA, PAGE, ram(PAGE)));
    rows.put("USER_MEMORY2", vm -> set(vm, 0, 0, DATA, PAGE, ram(PAGE)));
    rows.put("READONLY_MEM", vm -> set(vm, 0, READONLY, DATA, PAGE, ram(PAGE)));
    rows.put("NR_MEMSLOTS", vm -> set(vm, value(vm, "NR_MEMSLOTS") - 1, 0, 0, PAGE, ram(PAGE)));
    rows.put("MULTI_ADDRESS_SPACE", vm -> set(vm, 1 << 16, 0, DATA, PAGE, ram(PAGE)));
    rows.put("DESTROY_MEMORY_REGION_WORKS", this::deletesASlot);
    rows.put("JOIN_MEMORY_REGIONS_WORKS", this::joinsSlots);
    rows.put("SYNC_MMU", this::followsTheProcess);
    rows.put("MANUAL_DIRTY_LOG_PROTECT2", this::clearsTheDirtyLog);
    rows.put("PRE_FAULT_MEMORY", this::preFaults);
    rows.put("BINARY_STATS_FD", this::opensStatistics);
    rows.put("SET_TSS_ADDR", vm -> ioctl(vm, KVM_SET_TSS_ADDR, 0xfffb_d000L));
    rows.put("SET_IDENTITY_MAP_ADDR", vm -> ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, zeros(8)));
    rows.put("SET_BOOT_CPU_ID", vm -> ioctl(vm, KVM_SET_BOOT_CPU_ID, 1));
    rows.put("NR_VCPUS", vm -> ofVcpu(vm, value(vm, "NR_VCPUS") - 1));
    rows.put("MAX_VCPUS", vm -> ofVcpu(vm, value(vm, "MAX_VCPUS") - 1));
    rows.put("MAX_VCPU_ID", vm -> ofVcpu(vm, value(vm, "MAX_VCPU_ID") - 1));
    rows.put("GET_TSC_KHZ", vm -> ioctl(vcpu(vm), KVM_GET_TSC_KHZ_ON_VCPU, 0));
    rows.put("EXT_CPUID", vm -> setCpuid(vcpu(vm), supportedCpuid()));
    rows.put("EXT_EMUL_CPUID", _ -> ioctl(kvm, KVM_GET_EMULATED_CPUID, cpuid(MOST_ENTRIES)));
    rows.put("GET_MSR_FEATURES", _ -> readsTheFeatureMsrs());
    rows.put("MP_STATE", this::setsTheMpState);
    rows.put("SYNC_REGS", this::syncsRegisters);
    rows.put("IMMEDIATE_EXIT", this::exitsAtOnce);
    rows.put("INTERNAL_ERROR_DATA", this::failsToEmulate);
    rows.put("IOEVENTFD", vm -> ioeventfd(vm, 4));
    rows.put("IOEVENTFD_NO_LENGTH", vm -> ioeventfd(vm, 0));
    rows.put("IOEVENTFD_ANY_LENGTH", vm -> ioeventfd(vm, 0));
    rows.put("IRQFD", vm -> split(vm, () -> irqfd(vm, 0)));
    rows.put(
        "IRQFD_RESAMPLE",
        vm -> {
          succeeds(ioctl(vm, KVM_CREATE_IRQCHIP, 0));
          return irqfd(vm, Kvm.KVM_IRQFD_FLAG_RESAMPLE());
        });
    rows.put("DEVICE_CTRL", this::createsADevice);
    rows.put("CHECK_EXTENSION_VM", vm -> ioctl(vm, KVM_CHECK_EXTENSION_ON_VM, 0));
    rows.put("ENABLE_CAP", vm -> enableOnVcpu(vcpu(vm), "ENFORCE_PV_FEATURE_CPUID", 1));
    rows.put(
        "ENFORCE_PV_FEATURE_CPUID", vm -> enableOnVcpu(vcpu(vm), "ENFORCE_PV_FEATURE_CPUID", 1));
    rows.put("ENABLE_CAP_VM", vm -> enable(vm, "HALT_POLL", 0));
    rows.put("HALT_POLL", vm -> enable(vm, "HALT_POLL", 1000));
    rows.put("DISABLE_QUIRKS", vm -> enable(vm, "DISABLE_QUIRKS", -1));
    rows.put("DISABLE_QUIRKS2", vm -> enable(vm, "DISABLE_QUIRKS2", value(vm, "DISABLE_QUIRKS2")));
    rows.put("SPLIT_IRQCHIP", vm -> enable(vm, "SPLIT_IRQCHIP", 24));
    rows.put("X2APIC_API", vm -> enable(vm, "X2APIC_API", 3));
    rows.put("EXIT_ON_EMULATION_FAILURE", vm -> enable(vm, "EXIT_ON_EMULATION_FAILURE", 1));
    rows.put("VM_DISABLE_NX_HUGE_PAGES", vm -> enable(vm, "VM_DISABLE_NX_HUGE_PAGES", 0));
    rows.put(
        "X86_APIC_BUS_CYCLES_NS", vm -> split(vm, () -> enable(vm, "X86_APIC_BUS_CYCLES_NS", 10)));
    rows.put("EXIT_HYPERCALL", vm -> enable(vm, "EXIT_HYPERCALL", value(vm, "EXIT_HYPERCALL")));
    rows.put("VM_TYPES", _ -> makesVmsOfAllTypes());
    rows.put("GUEST_MEMFD", vm -> guestMemfdOf(vm, 0));
    rows.put("GUEST_MEMFD_FLAGS", vm -> guestMemfdOf(vm, value(vm, "GUEST_MEMFD_FLAGS")));
    return rows;
  }

  private Map<String, Calls> ofVmsWithPrivateMemory() {
    Map<String, Calls> rows = new LinkedHashMap<>();
    rows.put("MEMORY_ATTRIBUTES", vm -> setAttributes(vm, DATA, PAGE, PRIVATE));
    rows.put("MEMORY_FAULT_INFO", this::tellsOfAFault);
    return rows;
  }

  /** What saves and restores a vCPU, and its interrupts. */
  private Map<String, Calls> ofState() {
    Map<String, Calls> rows = new LinkedHashMap<>();
    rows.put("SREGS2", vm -> ofVcpu(vm, KVM_GET_SREGS2, kvm_sregs2.layout()));
    rows.put("VCPU_EVENTS", vm -> ofVcpu(vm, KVM_GET_VCPU_EVENTS, kvm_vcpu_events.layout()));
    rows.put("DEBUGREGS", vm -> ofVcpu(vm, KVM_GET_DEBUGREGS, kvm_debugregs.layout()));
    rows.put("XSAVE", vm -> ofVcpu(vm, KVM_GET_XSAVE, kvm_xsave.layout()));
    rows.put("XSAVE2", vm -> ioctl(vcpu(vm), KVM_GET_XSAVE2, zeros(value(vm, "XSAVE2"))));
    rows.put("XCRS", vm -> ofVcpu(vm, KVM_GET_XCRS, kvm_xcrs.layout()));
    rows.put("SET_GUEST_DEBUG", vm -> ofVcpu(vm, KVM_SET_GUEST_DEBUG, kvm_guest_debug.layout()));
    rows.put("SET_GUEST_DEBUG2", this::debugs);
    rows.put("USER_NMI", vm -> ioctl(vcpu(vm), KVM_NMI, 0));
    rows.put("X86_SMM", vm -> ioctl(vcpu(vm), KVM_SMI, 0));
    rows.put(
        "VCPU_ATTRIBUTES", vm -> ofVcpu(vm, KVM_HAS_DEVICE_ATTR_ON_VCPU, kvm_device_attr.layout()));
    rows.put(
        "SYS_ATTRIBUTES", _ -> ioctl(kvm, KVM_HAS_DEVICE_ATTR, struct(kvm_device_attr.layout())));
    rows.put("MCE", _ -> ioctl(kvm, KVM_X86_GET_MCE_CAP_SUPPORTED, zeros(8)));
    rows.put("ONE_REG", vm -> ofVcpu(vm, KVM_GET_REG_LIST, kvm_reg_list.layout()));
    rows.put("NESTED_STATE", this::readsTheNestedState);
    rows.put(
        "VAPIC", vm -> split(vm, () -> ofVcpu(vm, KVM_SET_VAPIC_ADDR, kvm_vapic_addr.layout())));
    rows.put("HYPERV_CPUID", vm -> ioctl(vcpu(vm), KVM_GET_SUPPORTED_HV_CPUID_ON_VCPU, cpuid(10)));
    rows.put("SYS_HYPERV_CPUID", _ -> ioctl(kvm, KVM_GET_SUPPORTED_HV_CPUID, cpuid(10)));
    rows.put("HYPERV_EVENTFD", this::signalsAConnection);
    rows.put("HYPERV_SYNIC", vm -> split(vm, () -> enableOnVcpu(vcpu(vm), "HYPERV_SYNIC", 0)));
    rows.put("HYPERV_SYNIC2", vm -> split(vm, () -> enableOnVcpu(vcpu(vm), "HYPERV_SYNIC2", 0)));
    rows.put("HYPERV_ENFORCE_CPUID", vm -> enableOnVcpu(vcpu(vm), "HYPERV_ENFORCE_CPUID", 1));
    return rows;
  }

  /** What is about a VM's interrupts, tracking and filters. */
  private Map<String, Calls> ofSettings() {
    Map<String, Calls> rows = new LinkedHashMap<>();
    rows.put("ADJUST_CLOCK", vm -> ioctl(vm, KVM_GET_CLOCK, struct(kvm_clock_data.layout())));
    rows.put("COALESCED_MMIO", this::coalesces);
    rows.put("COALESCED_PIO", this::coalescesPorts);
    rows.put("IRQCHIP", vm -> withIrqchip(vm, KVM_IRQ_LINE, kvm_irq_level.layout()));
    rows.put(
        "IRQ_INJECT_STATUS", vm -> withIrqchip(vm, KVM_IRQ_LINE_STATUS, kvm_irq_level.layout()));
    rows.put("PIT", vm -> withIrqchip(vm, () -> ioctl(vm, KVM_CREATE_PIT, 0)));
    rows.put("PIT2", vm -> withIrqchip(vm, KVM_CREATE_PIT2, kvm_pit_config.layout()));
    rows.put("PIT_STATE2", vm -> withPit(vm, KVM_GET_PIT2, kvm_pit_state2.layout()));
    rows.put(
        "REINJECT_CONTROL", vm -> withPit(vm, KVM_REINJECT_CONTROL, kvm_reinject_control.layout()));
    rows.put("IRQ_ROUTING", vm -> withIrqchip(vm, KVM_SET_GSI_ROUTING, kvm_irq_routing.layout()));
    rows.put(
        "SIGNAL_MSI",
        vm ->
            withIrqchip(
                vm,
                () -> {
                  vcpu(vm);
                  return ioctl(vm, KVM_SIGNAL_MSI, struct(kvm_msi.layout()));
                }));
    rows.put("DIRTY_LOG_RING", vm -> enable(vm, "DIRTY_LOG_RING", 1 << 16));
    rows.put("DIRTY_LOG_RING_ACQ_REL", vm -> enable(vm, "DIRTY_LOG_RING_ACQ_REL", 1 << 16));
    rows.put("X86_DISABLE_EXITS", vm -> enable(vm, "X86_DISABLE_EXITS", 0));
    rows.put("MSR_PLATFORM_INFO", vm -> enable(vm, "MSR_PLATFORM_INFO", 1));
    rows.put("EXCEPTION_PAYLOAD", vm -> enable(vm, "EXCEPTION_PAYLOAD", 1));
    rows.put("X86_TRIPLE_FAULT_EVENT", vm -> enable(vm, "X86_TRIPLE_FAULT_EVENT", 1));
    rows.put("X86_USER_SPACE_MSR", vm -> enable(vm, "X86_USER_SPACE_MSR", 0));
    rows.put(
        "X86_MSR_FILTER", vm -> ioctl(vm, KVM_X86_SET_MSR_FILTER, struct(kvm_msr_filter.layout())));
    rows.put("PMU_EVENT_FILTER", vm -> filtersEvents(vm, 0));
    rows.put("PMU_EVENT_MASKED_EVENTS", vm -> filtersEvents(vm, 1));
    return rows;
  }

  /** Whether it is known what is to work where a capability is offered. */
  final boolean hasCase(String capability) {
    return WITHOUT_CALLS.contains(capability)
        || ofAnyVm().containsKey(capability)
        || ofState().containsKey(capability)
        || ofSettings().containsKey(capability)
        || ofVmsWithPrivateMemory().containsKey(capability);
  }

  @Test
  void whatIsOfferedHasCallsThatWorkAndWhatIsNotHasNone() {
    // kvm_main.c:kvm_vm_ioctl_check_extension_generic, x86.c:kvm_vm_ioctl_check_extension
    SoftAssertions each = new SoftAssertions();
    ofAnyVm().forEach((name, calls) -> check(each, name, this::vm, calls));
    ofState().forEach((name, calls) -> check(each, name, this::vm, calls));
    ofSettings().forEach((name, calls) -> check(each, name, this::vm, calls));
    ofVmsWithPrivateMemory().forEach((name, calls) -> check(each, name, this::protectedVm, calls));
    each.assertAll();
  }

  private void check(SoftAssertions each, String name, LongSupplier newVm, Calls calls) {
    int vm = (int) newVm.getAsLong();
    boolean isOffered = value(vm, name) != 0;
    long result = calls.on(vm);
    String said = result < 0 ? Errno.of((int) -result).toString() : "success";
    each.assertThat(result >= 0).as("KVM_CAP_%s: %s", name, said).isEqualTo(isOffered);
  }

  private static int number(String capability) {
    return requireNonNull(NUMBERS.get(capability), capability);
  }

  private int value(int vm, String capability) {
    return succeeds(ioctl(vm, KVM_CHECK_EXTENSION_ON_VM, number(capability)));
  }

  private int enable(int vm, String capability, long value) {
    return ioctl(vm, KVM_ENABLE_CAP, enableOf(capability, value));
  }

  private int enableOnVcpu(int vcpu, String capability, long value) {
    return ioctl(vcpu, KVM_ENABLE_CAP_ON_VCPU, enableOf(capability, value));
  }

  private MemorySegment enableOf(String capability, long value) {
    MemorySegment enable = struct(kvm_enable_cap.layout());
    kvm_enable_cap.cap(enable, number(capability));
    kvm_enable_cap.args(enable, 0, value);
    return enable;
  }

  private long split(int vm, LongSupplier then) {
    succeeds(enable(vm, "SPLIT_IRQCHIP", 24));
    return then.getAsLong();
  }

  private int withIrqchip(int vm, Ioctl call, MemoryLayout argument) {
    succeeds(ioctl(vm, KVM_CREATE_IRQCHIP, 0));
    return ioctl(vm, call, struct(argument));
  }

  private long withIrqchip(int vm, LongSupplier then) {
    succeeds(ioctl(vm, KVM_CREATE_IRQCHIP, 0));
    return then.getAsLong();
  }

  private int withPit(int vm, Ioctl call, MemoryLayout argument) {
    succeeds(ioctl(vm, KVM_CREATE_IRQCHIP, 0));
    succeeds(ioctl(vm, KVM_CREATE_PIT, 0));
    return ioctl(vm, call, struct(argument));
  }

  private long debugs(int vm) {
    MemorySegment debug = struct(kvm_guest_debug.layout());
    kvm_guest_debug.control(debug, value(vm, "SET_GUEST_DEBUG2"));
    return ioctl(vcpu(vm), KVM_SET_GUEST_DEBUG, debug);
  }

  private long readsTheNestedState(int vm) {
    MemorySegment state = zeros(Math.max(kvm_nested_state.sizeof(), value(vm, "NESTED_STATE")));
    kvm_nested_state.size(state, (int) state.byteSize());
    return ioctl(vcpu(vm), KVM_GET_NESTED_STATE, state);
  }

  private long signalsAConnection(int vm) {
    MemorySegment signal = struct(kvm_hyperv_eventfd.layout());
    kvm_hyperv_eventfd.fd(signal, eventfd());
    return ioctl(vm, KVM_HYPERV_EVENTFD, signal);
  }

  private long filtersEvents(int vm, int flags) {
    MemorySegment filter = struct(kvm_pmu_event_filter.layout());
    kvm_pmu_event_filter.flags(filter, flags);
    return ioctl(vm, KVM_SET_PMU_EVENT_FILTER, filter);
  }

  private long coalescesPorts(int vm) {
    MemorySegment zone = struct(kvm_coalesced_mmio_zone.layout());
    kvm_coalesced_mmio_zone.size(zone, 4);
    kvm_coalesced_mmio_zone.pio(zone, 1);
    return ioctl(vm, KVM_REGISTER_COALESCED_MMIO, zone);
  }

  private int ofVcpu(int vm, long id) {
    int vcpu = ioctl(vm, KVM_CREATE_VCPU, id);
    return vcpu < 0 ? vcpu : keep(vcpu);
  }

  private int ofVcpu(int vm, Ioctl call, MemoryLayout argument) {
    return ioctl(vcpu(vm), call, struct(argument));
  }

  private long deletesASlot(int vm) {
    succeeds(set(vm, 0, 0, DATA, PAGE, ram(PAGE)));
    return set(vm, 0, 0, 0, 0, 0);
  }

  private long joinsSlots(int vm) {
    long ram = ram(2 * PAGE);
    succeeds(set(vm, 0, 0, DATA, PAGE, ram));
    succeeds(set(vm, 1, 0, DATA + PAGE, PAGE, ram + PAGE));
    succeeds(set(vm, 0, 0, 0, 0, 0));
    succeeds(set(vm, 1, 0, 0, 0, 0));
    return set(vm, 0, 0, DATA, 2 * PAGE, ram);
  }

  /** mov al, 0x5a; mov [0x2000], al; hlt, twice. */
  private long followsTheProcess(int vm) {
    long ram = ram(PAGE);
    succeeds(set(vm, 1, 0, DATA, PAGE, ram));
    int[] code = {0xb0, 0x5a, 0xa2, 0x00, 0x20, 0xf4, 0xa2, 0x01, 0x20, 0xf4};
    int vcpu = vcpuWithCode(vm, code);
    succeeds(ioctl(vcpu, KVM_RUN, 0));
    replace(ram, PAGE);
    succeeds(ioctl(vcpu, KVM_RUN, 0));
    MemorySegment now = at(ram, 2);
    boolean isNew = now.get(ValueLayout.JAVA_BYTE, 0) == 0;
    return isNew && now.get(ValueLayout.JAVA_BYTE, 1) == 0x5a ? 0 : Errno.EFAULT.negated();
  }

  private long clearsTheDirtyLog(int vm) {
    succeeds(enable(vm, "MANUAL_DIRTY_LOG_PROTECT2", value(vm, "MANUAL_DIRTY_LOG_PROTECT2")));
    succeeds(set(vm, 0, LOG_DIRTY, DATA, 64 * PAGE, ram(64 * PAGE)));
    MemorySegment clear = struct(kvm_clear_dirty_log.layout());
    kvm_clear_dirty_log.num_pages(clear, 64);
    kvm_clear_dirty_log.dirty_bitmap(clear, zeros(8));
    return ioctl(vm, KVM_CLEAR_DIRTY_LOG, clear);
  }

  private long preFaults(int vm) {
    MemorySegment range = struct(kvm_pre_fault_memory.layout());
    kvm_pre_fault_memory.gpa(range, CODE);
    kvm_pre_fault_memory.size(range, PAGE);
    return ioctl(vcpuWithCode(vm, 0xf4), KVM_PRE_FAULT_MEMORY, range);
  }

  private long setsTheMpState(int vm) {
    int vcpu = vcpu(vm);
    MemorySegment state = struct(kvm_mp_state.layout());
    succeeds(ioctl(vcpu, KVM_GET_MP_STATE, state));
    return ioctl(vcpu, KVM_SET_MP_STATE, state);
  }

  private long syncsRegisters(int vm) {
    int vcpu = vcpuWithCode(vm, 0xf4);
    kvm_run.kvm_valid_regs(stateOf(vcpu), value(vm, "SYNC_REGS"));
    return ioctl(vcpu, KVM_RUN, 0);
  }

  private long exitsAtOnce(int vm) {
    int vcpu = vcpuWithCode(vm, 0xf4);
    kvm_run.immediate_exit(stateOf(vcpu), (byte) 1);
    fails(Errno.EINTR, ioctl(vcpu, KVM_RUN, 0));
    return 0;
  }

  /** A jump to where no memory is: jmp 0x2000. */
  private long failsToEmulate(int vm) {
    return exits(vm, Kvm.KVM_EXIT_INTERNAL_ERROR(), 0xe9, 0xfd, 0x0f);
  }

  private long ioeventfd(int vm, int bytes) {
    MemorySegment ioevent = struct(kvm_ioeventfd.layout());
    kvm_ioeventfd.addr(ioevent, DATA);
    kvm_ioeventfd.len(ioevent, bytes);
    kvm_ioeventfd.fd(ioevent, eventfd());
    return ioctl(vm, KVM_IOEVENTFD, ioevent);
  }

  private long irqfd(int vm, int flags) {
    MemorySegment irqfd = struct(kvm_irqfd.layout());
    kvm_irqfd.fd(irqfd, eventfd());
    kvm_irqfd.gsi(irqfd, 5);
    kvm_irqfd.flags(irqfd, flags);
    kvm_irqfd.resamplefd(irqfd, eventfd());
    return ioctl(vm, KVM_IRQFD, irqfd);
  }

  private long createsADevice(int vm) {
    MemorySegment device = struct(kvm_create_device.layout());
    kvm_create_device.type(device, Kvm.KVM_DEV_TYPE_VFIO());
    kvm_create_device.flags(device, Kvm.KVM_CREATE_DEVICE_TEST());
    return ioctl(vm, KVM_CREATE_DEVICE, device);
  }

  private long makesVmsOfAllTypes() {
    int types = check(kvm, Kvm.KVM_CAP_VM_TYPES());
    for (int type = 0; type < Integer.SIZE; type++) {
      if ((types >> type & 1) != 0) {
        keep(ioctl(kvm, KVM_CREATE_VM, type));
      }
    }
    return 0;
  }

  private long guestMemfdOf(int vm, long flags) {
    int file = createGuestMemfd(vm, PAGE, flags);
    return file < 0 ? file : keep(file);
  }

  private long opensStatistics(int vm) {
    int file = ioctl(vm, KVM_GET_STATS_FD, 0);
    return file < 0 ? file : keep(file);
  }

  private long coalesces(int vm) {
    MemorySegment zone = struct(kvm_coalesced_mmio_zone.layout());
    kvm_coalesced_mmio_zone.addr(zone, DATA);
    kvm_coalesced_mmio_zone.size(zone, (int) PAGE);
    return ioctl(vm, KVM_REGISTER_COALESCED_MMIO, zone);
  }

  /** mov al, [0x2000], which is private, and nothing is there. */
  private long tellsOfAFault(int vm) {
    succeeds(setAttributes(vm, DATA, PAGE, PRIVATE));
    int vcpu = vcpuWithCode(vm, 0xa0, 0x00, 0x20);
    fails(Errno.EFAULT, ioctl(vcpu, KVM_RUN, 0));
    boolean isTold = kvm_run.exit_reason(stateOf(vcpu)) == Kvm.KVM_EXIT_MEMORY_FAULT();
    return isTold ? 0 : Errno.EFAULT.negated();
  }

  private long exits(int vm, int reason, int... code) {
    int vcpu = vcpuWithCode(vm, code);
    succeeds(ioctl(vcpu, KVM_RUN, 0));
    return kvm_run.exit_reason(stateOf(vcpu)) == reason ? 0 : Errno.EINVAL.negated();
  }

  /** The argument of a call about CPUID. */
  private MemorySegment cpuid(int entries) {
    MemorySegment cpuid = zeros(kvm_cpuid2.sizeof() + entries * kvm_cpuid_entry2.sizeof());
    kvm_cpuid2.nent(cpuid, entries);
    return cpuid;
  }

  private static MemorySegment entry(MemorySegment cpuid, int index) {
    long bytes = kvm_cpuid_entry2.sizeof();
    return cpuid.asSlice(kvm_cpuid2.sizeof() + index * bytes, bytes);
  }

  private MemorySegment supportedCpuid() {
    MemorySegment cpuid = cpuid(MOST_ENTRIES);
    succeeds(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid));
    return cpuid;
  }

  private int setCpuid(int vcpu, MemorySegment cpuid) {
    return ioctl(vcpu, KVM_SET_CPUID2, cpuid);
  }

  private long readsTheFeatureMsrs() {
    MemorySegment list = zeros(kvm_msr_list.sizeof() + 4 * 64);
    kvm_msr_list.nmsrs(list, 64);
    int told = ioctl(kvm, KVM_GET_MSR_FEATURE_INDEX_LIST, list);
    if (told < 0) {
      return told;
    }
    int count = kvm_msr_list.nmsrs(list);
    MemorySegment indices = list.asSlice(kvm_msr_list.sizeof());
    MemorySegment msrs = msrs(count + 1);
    for (int i = 0; i < count; i++) {
      kvm_msr_entry.index(msr(msrs, i), indices.getAtIndex(ValueLayout.JAVA_INT, i));
    }
    kvm_msr_entry.index(msr(msrs, count), 0x7fff_ffff);
    assertThat(count).isBetween(1, 63);
    assertThat(ioctl(kvm, KVM_GET_MSRS, msrs)).as("up to the unknown one").isEqualTo(count);
    return 0;
  }

  private MemorySegment msrs(int count) {
    MemorySegment msrs = zeros(kvm_msrs.sizeof() + count * kvm_msr_entry.sizeof());
    kvm_msrs.nmsrs(msrs, count);
    return msrs;
  }

  private static MemorySegment msr(MemorySegment msrs, int index) {
    return kvm_msr_entry.asSlice(msrs.asSlice(kvm_msrs.sizeof()), index);
  }

  @Test
  void theModulesParametersAreInSysfs() {
    // x86.c:module_param; kernel/params.c
    String parameters = "/sys/module/kvm/parameters/";
    assertThat(sysfs.list(parameters))
        .contains("halt_poll_ns", "ignore_msrs", "nx_huge_pages", "tdp_mmu", "enable_pmu");
    assertThat(sysfs.read(parameters + "ignore_msrs")).isEqualTo("N");
    assertThat(sysfs.read(parameters + "halt_poll_ns")).isEqualTo("200000");
    assertThat(kernel.open(parameters + "tdp_mmu", Libc.O_WRONLY()))
        .isEqualTo(Errno.EACCES.negated());
  }

  /** What a file of statistics has: its id, and the name, number of values and offset of each. */
  private List<String> statistics(int file) {
    MemorySegment header = zeros(kvm_stats_header.sizeof());
    succeeds(kernel.pread(file, header.address(), header.byteSize(), 0));
    int nameBytes = kvm_stats_header.name_size(header);
    MemorySegment id = zeros(nameBytes);
    succeeds(kernel.pread(file, id.address(), nameBytes, kvm_stats_header.id_offset(header)));
    List<String> all = new ArrayList<>();
    all.add(id.getString(0).replaceFirst("\\d+", "N"));
    long step = kvm_stats_desc.sizeof() + nameBytes;
    int data = kvm_stats_header.data_offset(header);
    for (int i = 0; i < kvm_stats_header.num_desc(header); i++) {
      MemorySegment each = zeros(step);
      long at = kvm_stats_header.desc_offset(header) + i * step;
      assertThat(kernel.pread(file, each.address(), step, at)).isEqualTo(step);
      all.add(
          "%s %x %d %d %d"
              .formatted(
                  each.getString(kvm_stats_desc.sizeof()),
                  kvm_stats_desc.flags(each),
                  kvm_stats_desc.exponent(each),
                  kvm_stats_desc.size(each),
                  kvm_stats_desc.offset(each)));
      long values = 8L * kvm_stats_desc.size(each);
      assertThat(
              kernel.pread(
                  file, zeros(values).address(), values, data + kvm_stats_desc.offset(each)))
          .isEqualTo(values);
    }
    return all;
  }

  @Test
  void theStatisticsOfAVmAndAVcpuDescribeThemselves() {
    // kvm_main.c:kvm_vm_ioctl_get_stats_fd, binary_stats.c:kvm_stats_read, x86.c:kvm_vm_stats_desc
    int vm = vm();
    int vcpu = vcpu(vm);
    int ofVm = keep(ioctl(vm, KVM_GET_STATS_FD, 0));
    int ofVcpu = keep(ioctl(vcpu, KVM_GET_STATS_FD_ON_VCPU, 0));
    assertThat(statistics(ofVm))
        .hasSize(17)
        .startsWith("kvm-N", "remote_tlb_flush 0 0 1 0", "remote_tlb_flush_requests 0 0 1 8")
        .contains("mmu_cache_miss 0 0 1 56", "pages_1g 1 0 1 96")
        .endsWith("max_mmu_rmap_size 2 0 1 120", "max_mmu_page_hash_collisions 2 0 1 112");
    assertThat(statistics(ofVcpu))
        .hasSize(46)
        .startsWith("kvm-N/vcpu-0", "halt_successful_poll 0 0 1 0")
        .contains(
            "halt_wait_ns 20 -9 1 48",
            "halt_wait_hist 24 -9 32 568",
            "blocking 41 0 1 824",
            "exits 0 0 1 904",
            "guest_mode 41 0 1 1088")
        .endsWith("notify_window_exits 0 0 1 1096");
  }

  @Test
  void aFileOfStatisticsIsOnlyReadAndKeepsTheVm() {
    // kvm_main.c:kvm_vm_stats_fops: FMODE_PREAD without FMODE_PWRITE, noop_llseek
    int vm = vm();
    int file = keep(ioctl(vm, KVM_GET_STATS_FD, 0));
    close(vm);
    MemorySegment header = zeros(24);
    assertThat(kernel.read(file, header.address(), 24)).isEqualTo(24);
    assertThat(kernel.lseek(file, 0, 0)).isEqualTo(24);
    MemorySegment id = zeros(48);
    assertThat(kernel.read(file, id.address(), 48)).isEqualTo(48);
    assertThat(id.getString(0)).startsWith("kvm-");
    assertThat(kernel.pread(file, id.address(), 48, 1 << 20)).isZero();
    fails(Errno.EBADF, kernel.write(file, id.address(), 48));
    fails(Errno.ESPIPE, kernel.pwrite(file, id.address(), 48, 0));
    fails(Errno.EFAULT, kernel.pread(file, NOWHERE, 48, 0));
    fails(Errno.EINVAL, kernel.pread(file, id.address(), 48, -1));
  }

  @Test
  void theListOfFeatureMsrsWantsRoomAndTellsHowMuch() {
    // msrs.c:kvm_get_feature_msr_index_list, msr_io
    MemorySegment list = zeros(kvm_msr_list.sizeof());
    fails(Errno.E2BIG, ioctl(kvm, KVM_GET_MSR_FEATURE_INDEX_LIST, list));
    assertThat(kvm_msr_list.nmsrs(list)).isPositive();
    fails(Errno.E2BIG, ioctl(kvm, KVM_GET_MSRS, msrs(256)));
    fails(Errno.EFAULT, ioctl(kvm, KVM_GET_MSRS, NOWHERE));
    assertThat(ioctl(kvm, KVM_GET_MSRS, msrs(1))).as("there is no MSR 0").isZero();
  }

  @Test
  void aCpuidIsReadAsItWasWritten() {
    // cpuid.c:kvm_vcpu_ioctl_set_cpuid2, kvm_vcpu_ioctl_get_cpuid2
    int vcpu = vcpu(vm());
    MemorySegment none = cpuid(0);
    succeeds(ioctl(vcpu, KVM_GET_CPUID2, none));
    assertThat(kvm_cpuid2.nent(none)).isZero();
    MemorySegment given = cpuid(1);
    kvm_cpuid_entry2.function(entry(given, 0), 0x8000_0000);
    kvm_cpuid_entry2.eax(entry(given, 0), 0x8000_0008);
    succeeds(setCpuid(vcpu, given));
    fails(Errno.E2BIG, ioctl(vcpu, KVM_GET_CPUID2, cpuid(0)));
    MemorySegment read = cpuid(2);
    succeeds(ioctl(vcpu, KVM_GET_CPUID2, read));
    assertThat(kvm_cpuid2.nent(read)).isEqualTo(1);
    assertThat(entry(read, 0).mismatch(entry(given, 0))).isEqualTo(-1);
  }

  @Test
  void aCpuidIsRefusedThatIsTooLongOrHasImpossibleAddresses() {
    // cpuid.c:kvm_vcpu_ioctl_set_cpuid2, kvm_check_cpuid
    int vcpu = vcpu(vm());
    fails(Errno.E2BIG, setCpuid(vcpu, cpuid(MOST_ENTRIES + 1)));
    fails(Errno.EFAULT, ioctl(vcpu, KVM_SET_CPUID2, NOWHERE));
    MemorySegment sizes = cpuid(1);
    kvm_cpuid_entry2.function(entry(sizes, 0), 0x8000_0008);
    kvm_cpuid_entry2.eax(entry(sizes, 0), 47 << 8 | 40);
    fails(Errno.EINVAL, setCpuid(vcpu, sizes));
    kvm_cpuid_entry2.eax(entry(sizes, 0), 57 << 8 | 40);
    succeeds(setCpuid(vcpu, sizes));
  }

  @Test
  void aCpuidStaysOnceTheGuestHasRun() {
    // cpuid.c:kvm_set_cpuid, kvm_cpuid_check_equal
    int vcpu = vcpuWithCode(vm(), 0xf4);
    MemorySegment cpuid = supportedCpuid();
    succeeds(setCpuid(vcpu, cpuid));
    succeeds(ioctl(vcpu, KVM_RUN, 0));
    succeeds(setCpuid(vcpu, cpuid));
    kvm_cpuid2.nent(cpuid, kvm_cpuid2.nent(cpuid) - 1);
    fails(Errno.EINVAL, setCpuid(vcpu, cpuid));
  }

  @Test
  void aCpuidShowsWhetherTheApicIsEnabled() {
    // cpuid.c:kvm_update_cpuid_runtime
    int vcpu = vcpu(vm());
    MemorySegment cpuid = cpuid(1);
    kvm_cpuid_entry2.function(entry(cpuid, 0), 1);
    succeeds(setCpuid(vcpu, cpuid));
    succeeds(ioctl(vcpu, KVM_GET_CPUID2, cpuid));
    assertThat(kvm_cpuid_entry2.edx(entry(cpuid, 0)) >> 9 & 1).isEqualTo(1);
  }

  @Test
  void theEmulatedCpuidWantsZerosAndRoom() {
    // cpuid.c:kvm_dev_ioctl_get_cpuid, sanity_check_entries
    fails(Errno.E2BIG, ioctl(kvm, KVM_GET_EMULATED_CPUID, cpuid(0)));
    fails(Errno.E2BIG, ioctl(kvm, KVM_GET_EMULATED_CPUID, cpuid(1)));
    MemorySegment cpuid = cpuid(MOST_ENTRIES);
    kvm_cpuid_entry2.padding(entry(cpuid, MOST_ENTRIES - 1), 2, 1);
    fails(Errno.EINVAL, ioctl(kvm, KVM_GET_EMULATED_CPUID, cpuid));
    kvm_cpuid_entry2.padding(entry(cpuid, MOST_ENTRIES - 1), 2, 0);
    succeeds(ioctl(kvm, KVM_GET_EMULATED_CPUID, cpuid));
    assertThat(kvm_cpuid_entry2.function(entry(cpuid, 1))).isEqualTo(1);
    assertThat(kvm_cpuid_entry2.ecx(entry(cpuid, 1)) >> 22 & 1).as("MOVBE").isEqualTo(1);
  }

  private MemorySegment special(int vcpu) {
    MemorySegment sregs = struct(kvm_sregs.layout());
    succeeds(ioctl(vcpu, KVM_GET_SREGS, sregs));
    return sregs;
  }

  private int set(int vcpu, MemorySegment sregs) {
    return ioctl(vcpu, KVM_SET_SREGS, sregs);
  }

  private static boolean has(MemorySegment cpuid, int leaf, int register, int bit) {
    for (int i = 0; i < kvm_cpuid2.nent(cpuid); i++) {
      MemorySegment entry = entry(cpuid, i);
      if (kvm_cpuid_entry2.function(entry) == leaf && kvm_cpuid_entry2.index(entry) == 0) {
        long at = kvm_cpuid_entry2.eax$offset() + 4L * register;
        return (entry.get(ValueLayout.JAVA_INT, at) >> bit & 1) != 0;
      }
    }
    return false;
  }

  @Test
  void longModeWantsAProcessorThatHasIt() {
    // msrs.c:__kvm_valid_efer
    int vcpu = vcpu(vm());
    MemorySegment sregs = special(vcpu);
    kvm_sregs.efer(sregs, EFER_LME);
    fails(Errno.EINVAL, set(vcpu, sregs));
    MemorySegment cpuid = supportedCpuid();
    assertThat(has(cpuid, 0x8000_0001, 3, 29)).as("the host is a 64-bit one").isTrue();
    succeeds(setCpuid(vcpu, cpuid));
    succeeds(set(vcpu, sregs));
    assertThat(kvm_sregs.efer(special(vcpu))).isEqualTo(EFER_LME);
    succeeds(setCpuid(vcpu, cpuid(0)));
    fails(Errno.EINVAL, set(vcpu, sregs));
  }

  @Test
  void longModeWithPagingWantsAllThatBelongsToIt() {
    // regs.c:kvm_is_valid_sregs
    int vcpu = vcpu(vm());
    succeeds(setCpuid(vcpu, supportedCpuid()));
    MemorySegment sregs = special(vcpu);
    kvm_sregs.cr0(sregs, kvm_sregs.cr0(sregs) | CR0_PE | CR0_PG);
    kvm_sregs.efer(sregs, EFER_LME);
    fails(Errno.EINVAL, set(vcpu, sregs));
    kvm_sregs.efer(sregs, EFER_LME | EFER_LMA);
    fails(Errno.EINVAL, set(vcpu, sregs));
    kvm_sregs.cr4(sregs, CR4_PAE);
    kvm_sregs.cr3(sregs, 1L << 58);
    fails(Errno.EINVAL, set(vcpu, sregs));
    kvm_sregs.cr3(sregs, CODE);
    succeeds(set(vcpu, sregs));
  }

  @Test
  void a64BitSegmentWantsLongMode() {
    // regs.c:kvm_is_valid_sregs
    int vcpu = vcpu(vm());
    MemorySegment sregs = special(vcpu);
    kvm_segment.l(kvm_sregs.cs(sregs), (byte) 1);
    fails(Errno.EINVAL, set(vcpu, sregs));
  }

  @Test
  void aBitOfCr4WantsAProcessorThatHasItsFeature() {
    // regs.h:__cr4_reserved_bits
    int vcpu = vcpu(vm());
    MemorySegment sregs = special(vcpu);
    for (int bit : new int[] {11, 12, 13, 16, 17, 18, 20, 21, 22, 23, 28}) {
      kvm_sregs.cr4(sregs, 1L << bit);
      fails(Errno.EINVAL, set(vcpu, sregs));
    }
    kvm_sregs.cr4(sregs, 1L << 14);
    fails(Errno.EINVAL, set(vcpu, sregs));
    kvm_sregs.cr4(sregs, 0x7ff);
    succeeds(set(vcpu, sregs));
    MemorySegment cpuid = supportedCpuid();
    succeeds(setCpuid(vcpu, cpuid));
    kvm_sregs.cr4(sregs, CR4_SMEP);
    assertThat(set(vcpu, sregs) == 0).as("SMEP").isEqualTo(has(cpuid, 7, 1, 7));
  }

  @Test
  void theApicIsWhereItsProcessorCanAddressIt() {
    // lapic.c:kvm_apic_set_base
    int vcpu = vcpu(vm());
    MemorySegment sregs = special(vcpu);
    long base = kvm_sregs.apic_base(sregs);
    for (long wrong :
        new long[] {base | 1, base | 1 << 9, base | 1L << 50, base | APIC_X2APIC, APIC_X2APIC}) {
      kvm_sregs.apic_base(sregs, wrong);
      fails(Errno.EINVAL, set(vcpu, sregs));
    }
    MemorySegment cpuid = supportedCpuid();
    succeeds(setCpuid(vcpu, cpuid));
    kvm_sregs.apic_base(sregs, (base & ~APIC_ENABLED) | APIC_X2APIC);
    fails(Errno.EINVAL, set(vcpu, sregs));
    kvm_sregs.apic_base(sregs, base | APIC_X2APIC);
    succeeds(set(vcpu, sregs));
  }

  private boolean isBootProcessor(int vm, int id) {
    long base = kvm_sregs.apic_base(special(keep(ioctl(vm, KVM_CREATE_VCPU, id))));
    return (base & APIC_BOOT_PROCESSOR) != 0;
  }

  @Test
  void theBootProcessorIsNumberZeroUnlessItIsChosen() {
    // x86.c:kvm_arch_vm_ioctl: KVM_SET_BOOT_CPU_ID; kvm_vcpu_is_reset_bsp
    int usual = vm();
    assertThat(isBootProcessor(usual, 1)).isFalse();
    assertThat(isBootProcessor(usual, 0)).isTrue();
    fails(Errno.EBUSY, ioctl(usual, KVM_SET_BOOT_CPU_ID, 1));
    int other = vm();
    fails(Errno.EINVAL, ioctl(other, KVM_SET_BOOT_CPU_ID, 1 << 20));
    succeeds(ioctl(other, KVM_SET_BOOT_CPU_ID, 1));
    assertThat(isBootProcessor(other, 0)).isFalse();
    assertThat(isBootProcessor(other, 1)).isTrue();
  }

  @Test
  void theTimeStampCountersOfAVmAreSetBeforeItsVcpus() {
    // x86.c:kvm_arch_vm_ioctl, kvm_arch_vcpu_ioctl: KVM_SET_TSC_KHZ
    int vm = vm();
    int khz = succeeds(ioctl(vm, KVM_GET_TSC_KHZ, 0));
    assertThat(khz).isPositive();
    succeeds(ioctl(vm, KVM_SET_TSC_KHZ, khz + khz / 2));
    int vcpu = vcpu(vm);
    assertThat(ioctl(vcpu, KVM_GET_TSC_KHZ_ON_VCPU, 0)).isEqualTo(khz + khz / 2);
    succeeds(ioctl(vcpu, KVM_SET_TSC_KHZ_ON_VCPU, 0));
    // The host's own, which is measured more exactly after its start.
    assertThat(ioctl(vcpu, KVM_GET_TSC_KHZ_ON_VCPU, 0)).isCloseTo(khz, withinPercentage(1));
    fails(Errno.EINVAL, ioctl(vm, KVM_SET_TSC_KHZ, khz));
  }

  @Test
  void aVmKeepsEnoughShadowPages() {
    // x86.c:kvm_vm_ioctl_set_nr_mmu_pages
    fails(Errno.EINVAL, ioctl(vm(), KVM_SET_NR_MMU_PAGES, 63));
    succeeds(ioctl(vm(), KVM_SET_NR_MMU_PAGES, 64));
  }

  @Test
  void theIdentityMapIsSetBeforeTheFirstVcpu() {
    // x86.c:kvm_arch_vm_ioctl: KVM_SET_IDENTITY_MAP_ADDR
    int vm = vm();
    fails(Errno.EFAULT, ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, NOWHERE));
    vcpu(vm);
    fails(Errno.EINVAL, ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, zeros(8)));
  }

  @Test
  void whatIsNotOfferedIsNotEnabled() {
    // x86.c:kvm_vm_ioctl_enable_cap, kvm_vcpu_ioctl_enable_cap
    int vm = vm();
    fails(Errno.EINVAL, enable(vm, "DISABLE_QUIRKS2", 1L << 40));
    fails(Errno.EINVAL, enable(vm, "EXIT_ON_EMULATION_FAILURE", 2));
    fails(Errno.EINVAL, enable(vm, "VM_DISABLE_NX_HUGE_PAGES", 1));
    fails(Errno.EINVAL, enable(vm, "X86_APIC_BUS_CYCLES_NS", 0));
    fails(Errno.ENXIO, enable(vm, "X86_APIC_BUS_CYCLES_NS", 10));
    fails(Errno.EINVAL, enable(vm, "HLT", 0));
    MemorySegment withFlags = enableOf("DISABLE_QUIRKS", 0);
    kvm_enable_cap.flags(withFlags, 1);
    fails(Errno.EINVAL, ioctl(vm, KVM_ENABLE_CAP, withFlags));
    int vcpu = vcpu(vm);
    fails(Errno.EINVAL, enable(vm, "VM_DISABLE_NX_HUGE_PAGES", 0));
    fails(Errno.EINVAL, enableOnVcpu(vcpu, "DISABLE_QUIRKS", 0));
    MemorySegment ofVcpu = enableOf("ENFORCE_PV_FEATURE_CPUID", 1);
    kvm_enable_cap.flags(ofVcpu, 1);
    fails(Errno.EINVAL, ioctl(vcpu, KVM_ENABLE_CAP_ON_VCPU, ofVcpu));
  }

  @Test
  void theBusOfTheApicsIsAsFastAsWasEnabled() {
    // x86.c:kvm_vm_ioctl_enable_cap: KVM_CAP_X86_APIC_BUS_CYCLES_NS
    int vm = vm();
    succeeds(enable(vm, "SPLIT_IRQCHIP", 24));
    assertThat(value(vm, "X86_APIC_BUS_CYCLES_NS")).isEqualTo(1);
    fails(Errno.EINVAL, enable(vm, "X86_APIC_BUS_CYCLES_NS", 1L << 40));
    succeeds(enable(vm, "X86_APIC_BUS_CYCLES_NS", 25));
    assertThat(value(vm, "X86_APIC_BUS_CYCLES_NS")).isEqualTo(25);
    vcpu(vm);
    fails(Errno.EINVAL, enable(vm, "X86_APIC_BUS_CYCLES_NS", 10));
  }

  @Test
  void aBroadcastEoiIsSuppressedBySplitControllersOnly() {
    // x86.c:kvm_vm_ioctl_enable_cap: KVM_CAP_X2APIC_API
    int vm = vm();
    int suppress = (int) Kvm.KVM_X2APIC_ENABLE_SUPPRESS_EOI_BROADCAST();
    int both = suppress | (int) Kvm.KVM_X2APIC_DISABLE_SUPPRESS_EOI_BROADCAST();
    assertThat(value(vm, "X2APIC_API") & suppress).isZero();
    fails(Errno.EINVAL, enable(vm, "X2APIC_API", 16));
    fails(Errno.EINVAL, enable(vm, "X2APIC_API", suppress));
    succeeds(enable(vm, "SPLIT_IRQCHIP", 24));
    assertThat(value(vm, "X2APIC_API") & suppress).isEqualTo(suppress);
    fails(Errno.EINVAL, enable(vm, "X2APIC_API", both));
    succeeds(enable(vm, "X2APIC_API", suppress));
  }

  @Test
  void kvmIsAmongTheMiscellaneousDevices() {
    // drivers/char/misc.c:misc_seq_show; virt/kvm/kvm_main.c: KVM_MINOR
    assertThat(sysfs.read("/proc/misc").lines()).contains("232 kvm");
  }

  @Test
  void theIdsOfVcpusAreLimitedOnce() {
    // x86.c:kvm_vm_ioctl_enable_cap: KVM_CAP_MAX_VCPU_ID; kvm_arch_vcpu_precreate
    int vm = vm();
    fails(Errno.EINVAL, enable(vm, "MAX_VCPU_ID", value(vm, "MAX_VCPU_ID") + 1));
    succeeds(enable(vm, "MAX_VCPU_ID", 2));
    succeeds(enable(vm, "MAX_VCPU_ID", 2));
    fails(Errno.EINVAL, enable(vm, "MAX_VCPU_ID", 3));
    keep(ioctl(vm, KVM_CREATE_VCPU, 1));
    fails(Errno.EINVAL, ioctl(vm, KVM_CREATE_VCPU, 2));
  }
}
