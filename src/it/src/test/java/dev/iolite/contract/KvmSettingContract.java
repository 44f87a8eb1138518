package dev.iolite.contract;

import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_IRQCHIP;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_PIT2;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_CLOCK;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_IRQCHIP;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_PIT;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_PIT2;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_SUPPORTED_HV_CPUID;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_SUPPORTED_HV_CPUID_ON_VCPU;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_HYPERV_EVENTFD;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_IRQ_LINE;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_IRQ_LINE_STATUS;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_REINJECT_CONTROL;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_CLOCK;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_GSI_ROUTING;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_IRQCHIP;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_PIT;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_PIT2;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_PMU_EVENT_FILTER;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SIGNAL_MSI;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_X86_SET_MSR_FILTER;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_XEN_HVM_CONFIG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.EventFd;
import dev.iolite.kvm.Capability;
import dev.iolite.kvm.CpuidEntry;
import dev.iolite.kvm.DeviceAttributes;
import dev.iolite.kvm.Exit;
import dev.iolite.kvm.MsrExitReason;
import dev.iolite.kvm.MsrFilter;
import dev.iolite.kvm.MsrFilter.Access;
import dev.iolite.kvm.MsrFilter.Action;
import dev.iolite.kvm.PitState;
import dev.iolite.kvm.PmuEventFilter;
import dev.iolite.kvm.Vcpu;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmClock;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_clock_data;
import dev.iolite.uapi.kvm.kvm_cpuid2;
import dev.iolite.uapi.kvm.kvm_cpuid_entry2;
import dev.iolite.uapi.kvm.kvm_hyperv_eventfd;
import dev.iolite.uapi.kvm.kvm_ioapic_state;
import dev.iolite.uapi.kvm.kvm_irq_level;
import dev.iolite.uapi.kvm.kvm_irq_routing;
import dev.iolite.uapi.kvm.kvm_irq_routing_entry;
import dev.iolite.uapi.kvm.kvm_irq_routing_irqchip;
import dev.iolite.uapi.kvm.kvm_irqchip;
import dev.iolite.uapi.kvm.kvm_msi;
import dev.iolite.uapi.kvm.kvm_msr_filter;
import dev.iolite.uapi.kvm.kvm_msr_filter_range;
import dev.iolite.uapi.kvm.kvm_pic_state;
import dev.iolite.uapi.kvm.kvm_pit_channel_state;
import dev.iolite.uapi.kvm.kvm_pit_config;
import dev.iolite.uapi.kvm.kvm_pit_state;
import dev.iolite.uapi.kvm.kvm_pit_state2;
import dev.iolite.uapi.kvm.kvm_pmu_event_filter;
import dev.iolite.uapi.kvm.kvm_reinject_control;
import dev.iolite.uapi.kvm.kvm_xen_hvm_config;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The settings of a VM, its interrupt controllers and its timer. */
abstract class KvmSettingContract extends KvmTypedContract {
  KvmSettingContract(Backend backend) {
    super(backend);
  }

  @Test
  void theClockGoesOnFromWhereItWasSet() {
    // x86.c:kvm_vm_ioctl_set_clock, get_kvmclock
    Vm vm = typedVm();
    VmClock.Moment first = vm.clock().now();
    assertThat(vm.clock().now().nanos()).isGreaterThanOrEqualTo(first.nanos());
    vm.clock().set(VmClock.Moment.of(1L << 50));
    assertThat(vm.clock().now().nanos()).isBetween(1L << 50, 1L << 51);
    vm.clock().set(vm.clock().now());
    assertThat(vm.clock().now().nanos()).isBetween(1L << 50, 1L << 51);
    MemorySegment flags = struct(kvm_clock_data.layout());
    kvm_clock_data.flags(flags, 1 << 5);
    fails(Errno.EINVAL, raw(vm, KVM_SET_CLOCK, flags));
    fails(Errno.EFAULT, ioctl(vm.fd().number(), KVM_GET_CLOCK, NOWHERE));
  }

  @Test
  void theTimeStampCounterOfAVcpuIsMovedByItsOffset() {
    // x86.c:kvm_arch_tsc_set_attr, kvm_arch_tsc_has_attr
    Vcpu vcpu = typedVcpu(typedVm());
    DeviceAttributes attributes = vcpu.attributes();
    assertThat(attributes.has(Kvm.KVM_VCPU_TSC_CTRL(), Kvm.KVM_VCPU_TSC_OFFSET())).isTrue();
    assertThat(attributes.has(Kvm.KVM_VCPU_TSC_CTRL(), 7)).isFalse();
    assertThat(attributes.has(7, Kvm.KVM_VCPU_TSC_OFFSET())).isFalse();
    refused(Errno.ENXIO, () -> attributes.get(Kvm.KVM_VCPU_TSC_CTRL(), 7));
    refused(Errno.ENXIO, () -> attributes.set(7, 0, 0));
    vcpu.clock().setTscOffset(-1L << 40);
    // A processor without virtualization of its own has one counter for all.
    assertThat(vcpu.clock().tscOffset()).isEqualTo(backend.runsRealMode() ? -1L << 40 : 0);
    assertThat(vcpu.clock().tscKhz()).isPositive();
    refused(Errno.EINVAL, () -> vcpu.clock().guestWasPaused());
  }

  @Test
  void kvmSaysWhichComponentsOfTheExtendedStateGuestsCanHave() {
    // x86.c:kvm_x86_dev_get_attr
    DeviceAttributes attributes = typedKvm().attributes();
    int system = Kvm.KVM_X86_GRP_SYSTEM();
    assertThat(attributes.has(system, Kvm.KVM_X86_XCOMP_GUEST_SUPP())).isTrue();
    assertThat(attributes.get(system, Kvm.KVM_X86_XCOMP_GUEST_SUPP()) & 3).isEqualTo(3);
    assertThat(attributes.has(system, 99)).isFalse();
    refused(Errno.ENXIO, () -> attributes.get(system, 99));
    refused(Errno.ENXIO, () -> attributes.get(99, 0));
  }

  @Test
  void anMsrFilterHasRangesThatAreAboutSomething() {
    // msrs.c:kvm_vm_ioctl_set_msr_filter, kvm_add_msr_filter
    Vm vm = typedVm();
    BitSet first = new BitSet();
    first.set(0);
    var range = new MsrFilter.Range(EnumSet.allOf(Access.class), 0x10, 65, first);
    vm.msrs().filter(new MsrFilter(Action.DENY, Collections.nCopies(16, range)));
    vm.msrs().filter(MsrFilter.none());
    refused(Errno.EINVAL, () -> vm.msrs().filter(new MsrFilter(Action.DENY, List.of())));
    var nothing = new MsrFilter.Range(Set.of(), 0x10, 1, first);
    refused(Errno.EINVAL, () -> vm.msrs().filter(new MsrFilter(Action.ALLOW, List.of(nothing))));
    var longest = new MsrFilter.Range(Set.of(Access.READ), 0x10, 0x600 * 8, first);
    vm.msrs().filter(new MsrFilter(Action.ALLOW, List.of(longest)));
    var tooLong = new MsrFilter.Range(Set.of(Access.READ), 0x10, 0x600 * 8 + 1, first);
    refused(Errno.EINVAL, () -> vm.msrs().filter(new MsrFilter(Action.ALLOW, List.of(tooLong))));
    MemorySegment raw = struct(kvm_msr_filter.layout());
    kvm_msr_filter.flags(raw, 2);
    fails(Errno.EINVAL, raw(vm, KVM_X86_SET_MSR_FILTER, raw));
    kvm_msr_filter.flags(raw, 0);
    MemorySegment unreadable = kvm_msr_filter.ranges(raw, 3);
    kvm_msr_filter_range.nmsrs(unreadable, 1);
    kvm_msr_filter_range.flags(unreadable, 1);
    kvm_msr_filter_range.bitmap(unreadable, MemorySegment.ofAddress(NOWHERE));
    fails(Errno.EFAULT, raw(vm, KVM_X86_SET_MSR_FILTER, raw));
  }

  @Test
  void accessesToMsrsLeaveTheGuestForKnownReasons() {
    // x86.c:kvm_vm_ioctl_enable_cap: KVM_CAP_X86_USER_SPACE_MSR
    Vm vm = typedVm();
    vm.msrs().exitOn(EnumSet.allOf(MsrExitReason.class));
    vm.msrs().exitOn(Set.of());
    refused(Errno.EINVAL, () -> vm.enable(Capability.X86_USER_SPACE_MSR, 1 << 5));
  }

  /** mov ecx, an MSR; rdmsr; mov eax, 0x1234; wrmsr; hlt. */
  private static int[] readsAndWrites(int msr) {
    return new int[] {
      0x66,
      0xb9,
      msr & 0xff,
      msr >> 8 & 0xff,
      msr >> 16 & 0xff,
      msr >>> 24,
      0x0f,
      0x32,
      0x66,
      0xb8,
      0x34,
      0x12,
      0x00,
      0x00,
      0x0f,
      0x30,
      0xf4
    };
  }

  private static void reads(Vcpu vcpu, int msr, MsrExitReason reason) {
    assertThat(vcpu.run(PATIENCE))
        .isInstanceOfSatisfying(
            Exit.MsrRead.class,
            exit -> {
              assertThat(exit.index()).isEqualTo(msr);
              assertThat(exit.reason()).isEqualTo(reason);
              exit.respond(0x1_0000_0002L);
            });
  }

  private static void writes(Vcpu vcpu, int msr, long value, MsrExitReason reason) {
    assertThat(vcpu.run(PATIENCE))
        .isInstanceOfSatisfying(
            Exit.MsrWrite.class,
            exit -> {
              assertThat(exit.index()).isEqualTo(msr);
              assertThat(exit.value()).isEqualTo(value);
              assertThat(exit.reason()).isEqualTo(reason);
              exit.accept();
            });
  }

  @Test
  void theVmmAnswersForMsrsThatKvmDoesNotKnow() {
    // msrs.c:kvm_msr_user_space, complete_fast_rdmsr
    int unknown = 0x7ff_ffff;
    Vm vm = typedVm();
    vm.msrs().exitOn(Set.of(MsrExitReason.UNKNOWN));
    Vcpu vcpu = running(vm, readsAndWrites(unknown));
    reads(vcpu, unknown, MsrExitReason.UNKNOWN);
    writes(vcpu, unknown, 0x1_0000_1234L, MsrExitReason.UNKNOWN);
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.Hlt.class);
  }

  @Test
  void theVmmAnswersForMsrsThatItsFilterDenies() {
    // msrs.c:kvm_msr_allowed
    int sysenter = 0x174;
    Vm vm = typedVm();
    vm.msrs().exitOn(Set.of(MsrExitReason.FILTER));
    var denied = new MsrFilter.Range(EnumSet.allOf(Access.class), sysenter - 1, 3, new BitSet());
    vm.msrs().filter(new MsrFilter(Action.ALLOW, List.of(denied)));
    Vcpu vcpu = running(vm, readsAndWrites(sysenter));
    reads(vcpu, sysenter, MsrExitReason.FILTER);
    writes(vcpu, sysenter, 0x1_0000_1234L, MsrExitReason.FILTER);
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.Hlt.class);
  }

  @Test
  void aGuestReachesTheControlOfMachineChecksOnlyIfItHasOne() {
    // msrs.c:get_msr_mce, set_msr_mce: MCG_CTL_P
    int control = 0x17b;
    Vm vm = typedVm();
    vm.msrs().exitOn(Set.of(MsrExitReason.INVALID));
    Vcpu vcpu = running(vm, readsAndWrites(control));
    reads(vcpu, control, MsrExitReason.INVALID);
    writes(vcpu, control, 0x1_0000_1234L, MsrExitReason.INVALID);
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.Hlt.class);
  }

  @Test
  void aGuestDoesNotMakeUpAMachineCheck() {
    // msrs.c:set_msr_mce, can_set_mci_status
    int status = 0x401;
    Vm vm = typedVm();
    vm.msrs().exitOn(Set.of(MsrExitReason.INVALID));
    Vcpu vcpu = running(vm, readsAndWrites(status));
    writes(vcpu, status, 0x1234, MsrExitReason.INVALID);
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.Hlt.class);
  }

  @Test
  void aFilterOfPmuEventsHasAnActionAndRoomFor300() {
    // pmu.c:kvm_vm_ioctl_set_pmu_event_filter
    Vm vm = typedVm();
    vm.filterPmuEvents(new PmuEventFilter(PmuEventFilter.Action.ALLOW, 1, false, List.of(0x3cL)));
    long masked = PmuEventFilter.masked(0x3c, 0xff, 0x01, true);
    vm.filterPmuEvents(new PmuEventFilter(PmuEventFilter.Action.DENY, 0, true, List.of(masked)));
    vm.filterPmuEvents(PmuEventFilter.none());
    var badEvent = new PmuEventFilter(PmuEventFilter.Action.DENY, 0, true, List.of(1L << 20));
    refused(Errno.EINVAL, () -> vm.filterPmuEvents(badEvent));
    List<Long> many = Collections.nCopies(301, 0x3cL);
    var tooMany = new PmuEventFilter(PmuEventFilter.Action.DENY, 0, false, many);
    refused(Errno.E2BIG, () -> vm.filterPmuEvents(tooMany));
    MemorySegment raw = struct(kvm_pmu_event_filter.layout());
    kvm_pmu_event_filter.action(raw, 2);
    fails(Errno.EINVAL, raw(vm, KVM_SET_PMU_EVENT_FILTER, raw));
    kvm_pmu_event_filter.action(raw, 1);
    kvm_pmu_event_filter.flags(raw, 2);
    fails(Errno.EINVAL, raw(vm, KVM_SET_PMU_EVENT_FILTER, raw));
  }

  @Test
  void aConnectionOfHyperVHasOneEventfd() {
    // hyperv.c:kvm_vm_ioctl_hv_eventfd
    Vm vm = typedVm();
    assumeOffered(vm, Capability.raw(Kvm.KVM_CAP_HYPERV_EVENTFD()));
    EventFd events = closed(EventFd.create(kernel));
    refused(Errno.ENOENT, () -> vm.hyperV().stopSignal(5));
    vm.hyperV().signal(5, events);
    refused(Errno.EEXIST, () -> vm.hyperV().signal(5, events));
    vm.hyperV().signal(6, events);
    vm.hyperV().stopSignal(5);
    vm.hyperV().signal(5, events);
    refused(Errno.EINVAL, () -> vm.hyperV().signal(1 << 24, events));
    MemorySegment raw = struct(kvm_hyperv_eventfd.layout());
    kvm_hyperv_eventfd.conn_id(raw, 7);
    kvm_hyperv_eventfd.fd(raw, vm.fd().number());
    fails(Errno.EINVAL, raw(vm, KVM_HYPERV_EVENTFD, raw));
    kvm_hyperv_eventfd.fd(raw, NO_FD);
    fails(Errno.EBADF, raw(vm, KVM_HYPERV_EVENTFD, raw));
    kvm_hyperv_eventfd.flags(raw, 2);
    fails(Errno.EINVAL, raw(vm, KVM_HYPERV_EVENTFD, raw));
  }

  @Test
  void theCpuidOfHyperVHasTenLeaves() {
    // hyperv.c:kvm_get_hv_cpuid
    Vm vm = typedVm();
    assumeOffered(vm, Capability.HYPERV_CPUID);
    Vcpu vcpu = typedVcpu(vm);
    List<CpuidEntry> ofKvm = typedKvm().supportedHyperVCpuid();
    assertThat(ofKvm).hasSize(10);
    assertThat(ofKvm.getFirst().function()).isEqualTo(0x4000_0000);
    assertThat(ofKvm.getFirst().eax()).isEqualTo(0x4000_0082);
    assertThat(ofKvm.get(1).eax()).as("Hv#1").isEqualTo(0x3123_7648);
    List<CpuidEntry> ofVcpu = vcpu.supportedHyperVCpuid();
    assertThat(ofVcpu.get(3).edx()).as("no timers").isEqualTo(ofKvm.get(3).edx() & ~(1 << 19));
    assertThat(ofVcpu.get(4).eax()).as("no IPIs").isEqualTo(ofKvm.get(4).eax() & ~(1 << 10));
    MemorySegment list = zeros(kvm_cpuid2.sizeof() + 12 * kvm_cpuid_entry2.sizeof());
    kvm_cpuid2.nent(list, 9);
    fails(Errno.E2BIG, ioctl(kvm, KVM_GET_SUPPORTED_HV_CPUID, list));
    kvm_cpuid2.nent(list, 12);
    succeeds(raw(vcpu, KVM_GET_SUPPORTED_HV_CPUID_ON_VCPU, list));
    assertThat(kvm_cpuid2.nent(list)).isEqualTo(10);
  }

  @Test
  void theInterruptControllerOfHyperVWantsLocalApics() {
    // x86.c:kvm_vcpu_ioctl_enable_cap: KVM_CAP_HYPERV_SYNIC
    Vm without = typedVm();
    assumeOffered(without, Capability.HYPERV_SYNIC2);
    Vcpu none = typedVcpu(without);
    refused(Errno.EINVAL, () -> none.enable(Capability.HYPERV_SYNIC));
    Vm vm = typedVm();
    vm.enable(Capability.SPLIT_IRQCHIP, 24);
    Vcpu vcpu = typedVcpu(vm);
    refused(Errno.EINVAL, () -> vcpu.enable(Capability.HYPERV_SYNIC2, 1));
    vcpu.enable(Capability.HYPERV_SYNIC2);
    vcpu.enable(Capability.HYPERV_ENFORCE_CPUID, 1);
    vcpu.enable(Capability.ENFORCE_PV_FEATURE_CPUID, 1);
    refused(Errno.EINVAL, () -> vcpu.enable(Capability.HALT_POLL));
  }

  @Test
  void xenIsThereOrIsNot() {
    // x86.c:kvm_arch_vm_ioctl: CONFIG_KVM_XEN
    Vm vm = typedVm();
    MemorySegment config = struct(kvm_xen_hvm_config.layout());
    kvm_xen_hvm_config.flags(config, 1 << 30);
    boolean isOffered = vm.check(Capability.XEN_HVM) != 0;
    fails(isOffered ? Errno.EINVAL : Errno.ENOTTY, raw(vm, KVM_XEN_HVM_CONFIG, config));
    Vcpu vcpu = typedVcpu(vm);
    refused(Errno.EINVAL, () -> vcpu.xen().setAttribute(0x7fff, _ -> {}));
  }

  @Test
  void memoryIsEncryptedForVmsOfThatTypeOnly() {
    // svm/sev.c:sev_mem_enc_register_region
    Vm vm = typedVm();
    long ram = ram(PAGE);
    refused(Errno.ENOTTY, () -> vm.encryptedMemory().register(ram, PAGE));
    refused(Errno.ENOTTY, () -> vm.encryptedMemory().unregister(ram, PAGE));
  }

  @Test
  void capabilitiesAreEnabledForAVm() {
    // x86.c:kvm_vm_ioctl_enable_cap
    Vm vm = typedVm();
    vm.enable(Capability.MSR_PLATFORM_INFO, 0);
    vm.enable(Capability.EXCEPTION_PAYLOAD, 1);
    vm.enable(Capability.X86_TRIPLE_FAULT_EVENT, 1);
    int exits = vm.check(Capability.X86_DISABLE_EXITS);
    vm.enable(Capability.X86_DISABLE_EXITS, exits);
    refused(Errno.EINVAL, () -> vm.enable(Capability.X86_DISABLE_EXITS, 1 << 10));
    refused(Errno.EINVAL, () -> vm.enable(Capability.X86_NOTIFY_VMEXIT, 4));
    refused(Errno.EINVAL, () -> vm.enable(Capability.X86_BUS_LOCK_EXIT, 3));
    vm.createVcpu(0);
    refused(Errno.EINVAL, () -> vm.enable(Capability.X86_DISABLE_EXITS, 0));
    refused(Errno.EINVAL, () -> vm.limitShadowPages(63));
    vm.limitShadowPages(64);
  }

  @Test
  void aHaltStaysInTheGuestIfItsExitIsDisabled() {
    // svm/svm.c:init_vmcb: an interrupt of the host ends it; hlt; out 0x80, al
    assumeTrue(backend.runsRealMode(), "on Intel's processors, the guest halts again");
    Vm vm = typedVm();
    assumeTrue((vm.check(Capability.X86_DISABLE_EXITS) & Kvm.KVM_X86_DISABLE_EXITS_HLT()) != 0);
    vm.enable(Capability.X86_DISABLE_EXITS, Kvm.KVM_X86_DISABLE_EXITS_HLT());
    vm.enable(Capability.X86_DISABLE_EXITS, Kvm.KVM_X86_DISABLE_EXITS_PAUSE());
    assertThat(running(vm, 0xf4, 0xe6, 0x80).run(PATIENCE)).isInstanceOf(Exit.IoOut.class);
  }

  private Vm withIrqchip() {
    Vm vm = typedVm();
    succeeds(ioctl(vm.fd().number(), KVM_CREATE_IRQCHIP, 0));
    return vm;
  }

  @Test
  void anInterruptControllerIsReadAsItWasSet() {
    // x86.c:kvm_arch_vm_ioctl: KVM_GET_IRQCHIP; irq.c:kvm_vm_ioctl_get_irqchip
    MemorySegment chip = struct(kvm_irqchip.layout());
    Vm without = typedVm();
    fails(Errno.ENXIO, raw(without, KVM_GET_IRQCHIP, chip));
    fails(Errno.ENXIO, raw(without, KVM_SET_IRQCHIP, chip));
    Vm vm = withIrqchip();
    kvm_irqchip.chip_id(chip, 3);
    fails(Errno.EINVAL, raw(vm, KVM_GET_IRQCHIP, chip));
    fails(Errno.EINVAL, raw(vm, KVM_SET_IRQCHIP, chip));
    kvm_irqchip.chip_id(chip, Kvm.KVM_IRQCHIP_IOAPIC());
    succeeds(raw(vm, KVM_GET_IRQCHIP, chip));
    MemorySegment ioapic = kvm_irqchip.chip.ioapic(kvm_irqchip.chip(chip));
    assertThat(kvm_ioapic_state.base_address(ioapic)).isEqualTo(0xfec0_0000L);
    assertThat(kvm_ioapic_state.redirtbl.bits(kvm_ioapic_state.redirtbl(ioapic, 23)))
        .as("masked")
        .isEqualTo(1L << 16);
    kvm_ioapic_state.redirtbl.bits(kvm_ioapic_state.redirtbl(ioapic, 5), 1L << 16 | 0x35);
    kvm_ioapic_state.ioregsel(ioapic, 7);
    succeeds(raw(vm, KVM_SET_IRQCHIP, chip));
    MemorySegment read = struct(kvm_irqchip.layout());
    kvm_irqchip.chip_id(read, Kvm.KVM_IRQCHIP_IOAPIC());
    succeeds(raw(vm, KVM_GET_IRQCHIP, read));
    assertThat(read.mismatch(chip)).isEqualTo(-1);
    kvm_irqchip.chip_id(chip, Kvm.KVM_IRQCHIP_PIC_SLAVE());
    succeeds(raw(vm, KVM_GET_IRQCHIP, chip));
    MemorySegment pic = kvm_irqchip.chip.pic(kvm_irqchip.chip(chip));
    assertThat(kvm_pic_state.elcr_mask(pic)).isEqualTo((byte) 0xde);
    kvm_pic_state.imr(pic, (byte) 0xff);
    kvm_pic_state.irq_base(pic, (byte) 0x28);
    succeeds(raw(vm, KVM_SET_IRQCHIP, chip));
    kvm_irqchip.chip_id(read, Kvm.KVM_IRQCHIP_PIC_SLAVE());
    succeeds(raw(vm, KVM_GET_IRQCHIP, read));
    assertThat(kvm_pic_state.irq_base(kvm_irqchip.chip.pic(kvm_irqchip.chip(read))))
        .isEqualTo((byte) 0x28);
  }

  @Test
  void aTimerWantsTheInterruptControllerAndThereIsOne() {
    // x86.c:kvm_arch_vm_ioctl: KVM_CREATE_PIT2
    MemorySegment config = struct(kvm_pit_config.layout());
    fails(Errno.ENOENT, raw(typedVm(), KVM_CREATE_PIT2, config));
    Vm split = typedVm();
    split.enable(Capability.SPLIT_IRQCHIP, 24);
    fails(Errno.ENOENT, raw(split, KVM_CREATE_PIT2, config));
    Vm vm = withIrqchip();
    MemorySegment state = struct(kvm_pit_state2.layout());
    fails(Errno.ENXIO, raw(vm, KVM_GET_PIT2, state));
    fails(Errno.ENXIO, raw(vm, KVM_SET_PIT2, state));
    fails(Errno.ENXIO, raw(vm, KVM_GET_PIT, struct(kvm_pit_state.layout())));
    fails(Errno.ENXIO, raw(vm, KVM_SET_PIT, struct(kvm_pit_state.layout())));
    fails(Errno.ENXIO, raw(vm, KVM_REINJECT_CONTROL, struct(kvm_reinject_control.layout())));
    vm.pit().create();
    fails(Errno.EEXIST, raw(vm, KVM_CREATE_PIT2, config));
  }

  @Test
  void aTimerIsReadAsItWasSet() {
    // x86.c:kvm_vm_ioctl_get_pit2, i8254.c:kvm_pit_load_count
    Vm vm = withIrqchip();
    succeeds(raw(vm, KVM_CREATE_PIT2, struct(kvm_pit_config.layout())));
    MemorySegment state = struct(kvm_pit_state2.layout());
    succeeds(raw(vm, KVM_GET_PIT2, state));
    MemorySegment second = kvm_pit_state2.channels(state, 2);
    assertThat(kvm_pit_channel_state.count(second)).isEqualTo(0x10000);
    assertThat(kvm_pit_channel_state.mode(second)).isEqualTo((byte) 0xff);
    assertThat(kvm_pit_channel_state.gate(second)).as("only the others count").isZero();
    assertThat(kvm_pit_channel_state.gate(kvm_pit_state2.channels(state, 0))).isEqualTo((byte) 1);
    kvm_pit_channel_state.count(second, 0x1234);
    kvm_pit_channel_state.mode(second, (byte) 3);
    kvm_pit_state2.flags(state, Kvm.KVM_PIT_FLAGS_HPET_LEGACY());
    succeeds(raw(vm, KVM_SET_PIT2, state));
    List<PitState.Channel> channels = vm.pit().channels();
    assertThat(channels.get(2).count()).isEqualTo(0x1234);
    assertThat(channels.get(2).mode()).isEqualTo(3);
    vm.pit().setChannels(channels);
    succeeds(raw(vm, KVM_GET_PIT2, state));
    assertThat(kvm_pit_state2.flags(state)).isEqualTo(Kvm.KVM_PIT_FLAGS_HPET_LEGACY());
    assertThat(kvm_pit_channel_state.count(second)).isEqualTo(0x1234);
    vm.pit().reinjectTicks(false);
  }

  private MemorySegment line(int irq, int level) {
    MemorySegment line = struct(kvm_irq_level.layout());
    kvm_irq_level.irq(line, irq);
    kvm_irq_level.level(line, level);
    return line;
  }

  @Test
  void anInterruptLineIsRaisedAndLowered() {
    // kvm_main.c:kvm_vm_ioctl: KVM_IRQ_LINE; x86.c:kvm_vm_ioctl_irq_line, i8259.c:kvm_pic_set_irq
    fails(Errno.ENXIO, raw(typedVm(), KVM_IRQ_LINE, line(5, 1)));
    Vm vm = withIrqchip();
    succeeds(raw(vm, KVM_IRQ_LINE, line(5, 1)));
    MemorySegment chip = struct(kvm_irqchip.layout());
    succeeds(raw(vm, KVM_GET_IRQCHIP, chip));
    assertThat(kvm_pic_state.irr(kvm_irqchip.chip.pic(kvm_irqchip.chip(chip))))
        .isEqualTo((byte) 32);
    MemorySegment status = line(5, 0);
    succeeds(raw(vm, KVM_IRQ_LINE_STATUS, status));
    assertThat(kvm_irq_level.status(status)).as("both controllers took it").isEqualTo(2);
    fails(Errno.EFAULT, ioctl(vm.fd().number(), KVM_IRQ_LINE, NOWHERE));
  }

  private MemorySegment routes(int type, int chip, int flags) {
    MemorySegment routing = zeros(kvm_irq_routing.sizeof() + kvm_irq_routing_entry.sizeof());
    kvm_irq_routing.nr(routing, 1);
    MemorySegment entry = routing.asSlice(kvm_irq_routing.sizeof());
    kvm_irq_routing_entry.gsi(entry, 24);
    kvm_irq_routing_entry.type(entry, type);
    kvm_irq_routing_entry.flags(entry, flags);
    kvm_irq_routing_irqchip.irqchip(
        kvm_irq_routing_entry.u.irqchip(kvm_irq_routing_entry.u(entry)), chip);
    return routing;
  }

  @Test
  void interruptsHaveRoutesThatExist() {
    // kvm_main.c:kvm_vm_ioctl: KVM_SET_GSI_ROUTING; irqchip.c:setup_routing_entry, irq.c
    Vm none = typedVm();
    int msi = Kvm.KVM_IRQ_ROUTING_MSI();
    int pin = Kvm.KVM_IRQ_ROUTING_IRQCHIP();
    fails(Errno.EINVAL, raw(none, KVM_SET_GSI_ROUTING, routes(msi, 0, 0)));
    Vm split = typedVm();
    split.enable(Capability.SPLIT_IRQCHIP, 24);
    succeeds(raw(split, KVM_SET_GSI_ROUTING, routes(msi, 0, 0)));
    fails(Errno.EINVAL, raw(split, KVM_SET_GSI_ROUTING, routes(pin, 0, 0)));
    Vm vm = withIrqchip();
    succeeds(raw(vm, KVM_SET_GSI_ROUTING, routes(msi, 0, 0)));
    succeeds(raw(vm, KVM_SET_GSI_ROUTING, routes(pin, Kvm.KVM_IRQCHIP_IOAPIC(), 0)));
    fails(Errno.EINVAL, raw(vm, KVM_SET_GSI_ROUTING, routes(pin, 3, 0)));
    fails(Errno.EINVAL, raw(vm, KVM_SET_GSI_ROUTING, routes(pin, 0, 1)));
    fails(Errno.EINVAL, raw(vm, KVM_SET_GSI_ROUTING, routes(99, 0, 0)));
    MemorySegment flags = struct(kvm_irq_routing.layout());
    kvm_irq_routing.flags(flags, 1);
    fails(Errno.EINVAL, raw(vm, KVM_SET_GSI_ROUTING, flags));
    kvm_irq_routing.flags(flags, 0);
    succeeds(raw(vm, KVM_SET_GSI_ROUTING, flags));
    kvm_irq_routing.nr(flags, 4097);
    fails(Errno.EINVAL, raw(vm, KVM_SET_GSI_ROUTING, flags));
  }

  /** The same interrupt with both of these routes. */
  private MemorySegment both(MemorySegment first, MemorySegment second) {
    MemorySegment both = zeros(first.byteSize() + kvm_irq_routing_entry.sizeof()).copyFrom(first);
    kvm_irq_routing.nr(both, 2);
    both.asSlice(first.byteSize()).copyFrom(second.asSlice(kvm_irq_routing.sizeof()));
    return both;
  }

  @Test
  void anInterruptHasOneRouteToEachController() {
    // irqchip.c:setup_routing_entry
    Vm vm = withIrqchip();
    MemorySegment msi = routes(Kvm.KVM_IRQ_ROUTING_MSI(), 0, 0);
    int pin = Kvm.KVM_IRQ_ROUTING_IRQCHIP();
    MemorySegment pic = routes(pin, Kvm.KVM_IRQCHIP_PIC_MASTER(), 0);
    MemorySegment ioapic = routes(pin, Kvm.KVM_IRQCHIP_IOAPIC(), 0);
    succeeds(raw(vm, KVM_SET_GSI_ROUTING, both(pic, ioapic)));
    fails(Errno.EINVAL, raw(vm, KVM_SET_GSI_ROUTING, both(pic, pic)));
    fails(Errno.EINVAL, raw(vm, KVM_SET_GSI_ROUTING, both(msi, msi)));
    fails(Errno.EINVAL, raw(vm, KVM_SET_GSI_ROUTING, both(msi, ioapic)));
  }

  @Test
  void aMessageIsAnInterruptOfAVcpuThatIsThere() {
    // irqchip.c:kvm_send_userspace_msi, irq.c:kvm_set_msi
    MemorySegment msi = struct(kvm_msi.layout());
    kvm_msi.address_lo(msi, 0xfee0_0000);
    kvm_msi.data(msi, 0x41);
    fails(Errno.EINVAL, raw(typedVm(), KVM_SIGNAL_MSI, msi));
    Vm vm = withIrqchip();
    fails(Errno.EPERM, raw(vm, KVM_SIGNAL_MSI, msi));
    typedVcpu(vm);
    assertThat(raw(vm, KVM_SIGNAL_MSI, msi)).as("its APIC is off").isZero();
    kvm_msi.flags(msi, 2);
    fails(Errno.EINVAL, raw(vm, KVM_SIGNAL_MSI, msi));
  }
}
