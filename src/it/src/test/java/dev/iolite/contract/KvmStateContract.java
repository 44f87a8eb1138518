package dev.iolite.contract;

import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_FPU;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_LAPIC;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_MSRS_ON_VCPU;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_MSR_INDEX_LIST;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_ONE_REG;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_SREGS;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_SREGS2;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_SUPPORTED_CPUID;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_CPUID2;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_DEBUGREGS;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_FPU;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_LAPIC;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_MSRS;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_NESTED_STATE;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_SIGNAL_MASK;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_SREGS2;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_VCPU_EVENTS;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_XCRS;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_TPR_ACCESS_REPORTING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.iolite.kernel.Errno;
import dev.iolite.kvm.Capability;
import dev.iolite.kvm.CpuidEntry;
import dev.iolite.kvm.DebugRegisters;
import dev.iolite.kvm.Exit;
import dev.iolite.kvm.GeneralRegisters;
import dev.iolite.kvm.GuestDeadlineException;
import dev.iolite.kvm.GuestDebugFlag;
import dev.iolite.kvm.MachineCheck;
import dev.iolite.kvm.MemorySlot;
import dev.iolite.kvm.NestedState;
import dev.iolite.kvm.RegisterId;
import dev.iolite.kvm.Vcpu;
import dev.iolite.kvm.VcpuEvents;
import dev.iolite.kvm.VcpuEvents.VcpuException;
import dev.iolite.kvm.Vm;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_cpuid2;
import dev.iolite.uapi.kvm.kvm_cpuid_entry2;
import dev.iolite.uapi.kvm.kvm_debugregs;
import dev.iolite.uapi.kvm.kvm_fpu;
import dev.iolite.uapi.kvm.kvm_lapic_state;
import dev.iolite.uapi.kvm.kvm_msr_entry;
import dev.iolite.uapi.kvm.kvm_msr_list;
import dev.iolite.uapi.kvm.kvm_msrs;
import dev.iolite.uapi.kvm.kvm_nested_state;
import dev.iolite.uapi.kvm.kvm_one_reg;
import dev.iolite.uapi.kvm.kvm_signal_mask;
import dev.iolite.uapi.kvm.kvm_sregs;
import dev.iolite.uapi.kvm.kvm_sregs2;
import dev.iolite.uapi.kvm.kvm_tpr_access_ctl;
import dev.iolite.uapi.kvm.kvm_vcpu_events;
import dev.iolite.uapi.kvm.kvm_xcrs;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The state of a vCPU is read as it was set, if it is one that a processor can have. */
abstract class KvmStateContract extends KvmTypedContract {
  private static final int XSTATE_BV = 512;
  private static final int MXCSR = 24;
  private static final int PAT = 0x277;
  private static final int APIC_BASE = 0x1b;
  private static final int MC0_STATUS = 0x401;
  private static final long VALID = 1L << 63;
  private static final long UNCORRECTED = 1L << 61;

  KvmStateContract(Backend backend) {
    super(backend);
  }

  private static ValueLayout.OfLong longs() {
    return ValueLayout.JAVA_LONG_UNALIGNED;
  }

  private MemorySegment supportedCpuid() {
    MemorySegment list = zeros(kvm_cpuid2.sizeof() + 256 * kvm_cpuid_entry2.sizeof());
    kvm_cpuid2.nent(list, 256);
    succeeds(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, list));
    return list;
  }

  @Test
  void anXsaveAreaIsReadAsItWasSet() {
    // x86.c:kvm_vcpu_ioctl_x86_get_xsave2, kvm_vcpu_ioctl_x86_set_xsave
    Vm vm = typedVm();
    Vcpu vcpu = typedVcpu(vm);
    byte[] bytes = vcpu.extendedState().fullArea();
    MemorySegment area = MemorySegment.ofArray(bytes);
    assertThat(area.get(ValueLayout.JAVA_SHORT_UNALIGNED, 0)).as("FCW").isEqualTo((short) 0x37f);
    assertThat(area.get(ValueLayout.JAVA_INT_UNALIGNED, MXCSR)).as("MXCSR").isEqualTo(0x1f80);
    area.set(ValueLayout.JAVA_SHORT_UNALIGNED, 0, (short) 0x27f);
    area.set(longs(), 160, 0x1122334455667788L);
    area.set(longs(), XSTATE_BV, 3);
    vcpu.extendedState().setArea(bytes);
    assertThat(vcpu.extendedState().fullArea()).isEqualTo(bytes);
    assertThat(vcpu.extendedState().area()).isEqualTo(Arrays.copyOf(bytes, 4096));
  }

  @Test
  void anXsaveAreaHasNoReservedBits() {
    // arch/x86/kernel/fpu/xstate.c:copy_uabi_to_xstate, validate_user_xstate_header
    Vm vm = typedVm();
    Vcpu vcpu = typedVcpu(vm);
    byte[] good = vcpu.extendedState().fullArea();
    MemorySegment.ofArray(good).set(longs(), XSTATE_BV, 3);
    byte[] component = good.clone();
    MemorySegment.ofArray(component).set(longs(), XSTATE_BV, 1L << 62);
    refused(Errno.EINVAL, () -> vcpu.extendedState().setArea(component));
    byte[] compacted = good.clone();
    MemorySegment.ofArray(compacted).set(longs(), XSTATE_BV + 8, 1L << 63);
    refused(Errno.EINVAL, () -> vcpu.extendedState().setArea(compacted));
    byte[] mxcsr = good.clone();
    MemorySegment.ofArray(mxcsr).set(ValueLayout.JAVA_INT_UNALIGNED, MXCSR, 1 << 16);
    refused(Errno.EINVAL, () -> vcpu.extendedState().setArea(mxcsr));
    vcpu.extendedState().setArea(good);
  }

  @Test
  void xcr0HasTheComponentsOfTheCpuid() {
    // x86.c:kvm_vcpu_ioctl_x86_set_xcrs, regs.c:__kvm_set_xcr
    Vm vm = typedVm();
    Vcpu vcpu = typedVcpu(vm);
    assertThat(vcpu.extendedState().xcr0()).isEqualTo(1);
    refused(Errno.EINVAL, () -> vcpu.extendedState().setXcr0(0));
    refused(Errno.EINVAL, () -> vcpu.extendedState().setXcr0(3));
    vcpu.extendedState().setXcr0(1);
    succeeds(raw(vcpu, KVM_SET_CPUID2, supportedCpuid()));
    vcpu.extendedState().setXcr0(3);
    assertThat(vcpu.extendedState().xcr0()).isEqualTo(3);
    refused(Errno.EINVAL, () -> vcpu.extendedState().setXcr0(5));
    MemorySegment many = struct(kvm_xcrs.layout());
    kvm_xcrs.nr_xcrs(many, 17);
    fails(Errno.EINVAL, raw(vcpu, KVM_SET_XCRS, many));
    MemorySegment flags = struct(kvm_xcrs.layout());
    kvm_xcrs.flags(flags, 1);
    fails(Errno.EINVAL, raw(vcpu, KVM_SET_XCRS, flags));
  }

  @Test
  void aNewVcpuHasNothingOnItsWay() {
    // x86.c:kvm_vcpu_ioctl_x86_get_vcpu_events
    VcpuEvents events = typedVcpu(typedVm()).injection().events();
    assertThat(events.exception()).isEqualTo(VcpuException.NONE);
    assertThat(events.interrupt()).isEqualTo(VcpuEvents.Interrupt.NONE);
    assertThat(events.nmi()).isEqualTo(VcpuEvents.Nmi.NONE);
    assertThat(events.sipiVector()).isEmpty();
    assertThat(events.smi()).contains(new VcpuEvents.Smi(false, false, false, false));
    assertThat(events.tripleFault()).isEmpty();
  }

  @Test
  void anExceptionIsOnItsWayAsItWasSet() {
    // x86.c:kvm_vcpu_ioctl_x86_set_vcpu_events
    Vcpu vcpu = typedVcpu(typedVm());
    var fault = new VcpuException(true, false, 14, OptionalInt.of(6), OptionalLong.empty());
    vcpu.injection().setEvents(VcpuEvents.NONE.with(fault));
    assertThat(vcpu.injection().events().exception()).isEqualTo(fault);
    for (int vector : new int[] {2, 32}) {
      var wrong = new VcpuException(true, false, vector, OptionalInt.empty(), OptionalLong.empty());
      refused(Errno.EINVAL, () -> vcpu.injection().setEvents(VcpuEvents.NONE.with(wrong)));
    }
    MemorySegment flags = struct(kvm_vcpu_events.layout());
    kvm_vcpu_events.flags(flags, 1 << 16);
    fails(Errno.EINVAL, raw(vcpu, KVM_SET_VCPU_EVENTS, flags));
  }

  @Test
  void anExceptionIsPendingOnlyWithItsCapability() {
    // x86.c:kvm_vcpu_ioctl_x86_set_vcpu_events: exception_payload_enabled
    Vm vm = typedVm();
    Vcpu vcpu = typedVcpu(vm);
    var pending = new VcpuException(false, true, 1, OptionalInt.empty(), OptionalLong.of(0x4000));
    VcpuEvents events = VcpuEvents.NONE.with(pending);
    refused(Errno.EINVAL, () -> vcpu.injection().setEvents(events));
    vm.enable(Capability.EXCEPTION_PAYLOAD, 1);
    vcpu.injection().setEvents(events);
    assertThat(vcpu.injection().events().exception()).isEqualTo(pending);
  }

  @Test
  void aTripleFaultIsPendingOnlyWithItsCapability() {
    // x86.c:kvm_vcpu_ioctl_x86_set_vcpu_events: triple_fault_event
    Vm vm = typedVm();
    Vcpu vcpu = typedVcpu(vm);
    VcpuEvents none = VcpuEvents.NONE;
    VcpuEvents triple =
        new VcpuEvents(
            none.exception(),
            none.interrupt(),
            none.nmi(),
            none.sipiVector(),
            none.smi(),
            Optional.of(true));
    refused(Errno.EINVAL, () -> vcpu.injection().setEvents(triple));
    vm.enable(Capability.X86_TRIPLE_FAULT_EVENT, 1);
    assertThat(vcpu.injection().events().tripleFault()).contains(false);
    vcpu.injection().setEvents(triple);
    assertThat(vcpu.injection().events().tripleFault()).contains(true);
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.Shutdown.class);
    assertThat(vcpu.injection().events().tripleFault()).contains(false);
  }

  @Test
  void nmisAndSmisAreQueued() {
    // x86.c:kvm_inject_nmi, process_nmi, smm.h:kvm_inject_smi
    Vm vm = typedVm();
    Vcpu vcpu = typedVcpu(vm);
    vcpu.injection().nmi();
    assertThat(vcpu.injection().events().nmi().pending()).hasValue(1);
    vcpu.injection().nmi();
    vcpu.injection().nmi();
    assertThat(vcpu.injection().events().nmi().pending()).hasValue(2);
    assumeOffered(vm, Capability.raw(Kvm.KVM_CAP_X86_SMM()));
    vcpu.injection().smi();
    assertThat(vcpu.injection().events().smi())
        .contains(new VcpuEvents.Smi(false, true, false, false));
  }

  @Test
  void nmisAreOnTheirWayAsTheyWereSet() {
    // x86.c:kvm_vcpu_ioctl_x86_set_vcpu_events
    Vcpu vcpu = typedVcpu(typedVm());
    for (boolean injected : new boolean[] {true, false}) {
      var nmi = new VcpuEvents.Nmi(injected, OptionalInt.of(1), !injected);
      vcpu.injection().setEvents(VcpuEvents.NONE.with(nmi));
      assertThat(vcpu.injection().events().nmi()).isEqualTo(nmi);
    }
  }

  @Test
  void theGeneralRegistersAreReadAsTheyWereSet() {
    // x86.c:__set_regs, __get_regs
    Vcpu vcpu = typedVcpu(typedVm());
    GeneralRegisters set =
        new GeneralRegisters(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 0x203);
    vcpu.setRegisters(set);
    assertThat(vcpu.registers()).isEqualTo(set);
  }

  @Test
  void anInterruptOfTheVmmIsQueued() {
    // x86.c:kvm_vcpu_ioctl_interrupt
    Vcpu vcpu = typedVcpu(typedVm());
    refused(Errno.EINVAL, () -> vcpu.injection().interrupt(256));
    vcpu.injection().interrupt(0x21);
    VcpuEvents.Interrupt queued = vcpu.injection().events().interrupt();
    assertThat(queued).isEqualTo(new VcpuEvents.Interrupt(true, 0x21, false, OptionalInt.of(0)));
    vcpu.injection().setEvents(VcpuEvents.NONE);
    assertThat(vcpu.injection().events().interrupt().isInjected()).isFalse();
  }

  @Test
  void aQueuedInterruptRunsItsHandler() {
    // x86.c:kvm_check_and_inject_events: hlt; at 0x21 * 4 is the address of out 0x80, al; hlt
    Vm vm = typedVm();
    MemorySlot table = slot(vm, 0, PAGE);
    at(table.hostAddress(), PAGE).set(ValueLayout.JAVA_INT_UNALIGNED, 0x21 * 4, (int) CODE + 1);
    Vcpu vcpu = running(vm, 0xf4, 0xe6, 0x80, 0xf4);
    vcpu.setRegisters(stackAt(vcpu, 0x800));
    vcpu.injection().interrupt(0x21);
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.IoOut.class);
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.Hlt.class);
    assertThat(vcpu.injection().events().interrupt().isInjected()).isFalse();
  }

  private static GeneralRegisters stackAt(Vcpu vcpu, long rsp) {
    GeneralRegisters r = vcpu.registers();
    return new GeneralRegisters(
        r.rax(),
        r.rbx(),
        r.rcx(),
        r.rdx(),
        r.rsi(),
        r.rdi(),
        rsp,
        r.rbp(),
        r.r8(),
        r.r9(),
        r.r10(),
        r.r11(),
        r.r12(),
        r.r13(),
        r.r14(),
        r.r15(),
        r.rip(),
        r.rflags());
  }

  @Test
  void aSplitInterruptControllerTakesOneInterruptAtATime() {
    // x86.c:kvm_vcpu_ioctl_interrupt: pending_external_vector
    Vm vm = typedVm();
    vm.enable(Capability.SPLIT_IRQCHIP, 24);
    Vcpu vcpu = typedVcpu(vm);
    vcpu.injection().interrupt(0x21);
    refused(Errno.EEXIST, () -> vcpu.injection().interrupt(0x22));
  }

  @Test
  void aWholeInterruptControllerTakesNone() {
    // x86.c:kvm_vcpu_ioctl_interrupt: pic_in_kernel
    Vm vm = typedVm();
    succeeds(ioctl(vm.fd().number(), dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_IRQCHIP, 0));
    Vcpu vcpu = typedVcpu(vm);
    refused(Errno.ENXIO, () -> vcpu.injection().interrupt(0x21));
  }

  @Test
  void machineChecksGoIntoBanks() {
    // x86.c:kvm_vcpu_ioctl_x86_setup_mce, kvm_vcpu_ioctl_x86_set_mce
    Vm vm = typedVm();
    Vcpu vcpu = typedVcpu(vm);
    long features = typedKvm().machineCheckFeatures();
    int banks = vm.check(Capability.MCE);
    assertThat(features & 1 << 8).as("MCG_CTL_P").isNotZero();
    refused(Errno.EINVAL, () -> vcpu.injection().setUpMachineChecks(0));
    refused(Errno.EINVAL, () -> vcpu.injection().setUpMachineChecks(banks + 1));
    refused(Errno.EINVAL, () -> vcpu.injection().setUpMachineChecks(1L << 40 | banks));
    vcpu.injection().setUpMachineChecks(features | 4);
    var corrected = new MachineCheck(0, VALID | 0x42, 0x1000, 0, 0);
    vcpu.injection().machineCheck(corrected);
    assertThat(msr(vcpu, MC0_STATUS)).isEqualTo(VALID | 0x42);
    var noBank = new MachineCheck(4, VALID, 0, 0, 0);
    refused(Errno.EINVAL, () -> vcpu.injection().machineCheck(noBank));
    var notValid = new MachineCheck(0, 0x42, 0, 0, 0);
    refused(Errno.EINVAL, () -> vcpu.injection().machineCheck(notValid));
  }

  @Test
  void anUncorrectedErrorIsATripleFaultBeforeTheGuestTakesMachineChecks() {
    // x86.c:kvm_vcpu_ioctl_x86_set_mce: CR4.MCE
    Vm vm = typedVm();
    vm.enable(Capability.X86_TRIPLE_FAULT_EVENT, 1);
    Vcpu vcpu = typedVcpu(vm);
    vcpu.injection().setUpMachineChecks(1L << 8 | 4);
    vcpu.injection().machineCheck(new MachineCheck(1, VALID | UNCORRECTED, 0, 0, 1));
    assertThat(vcpu.injection().events().tripleFault()).contains(true);
  }

  @Test
  void debugRegistersAreReadAsTheyWereSet() {
    // regs.c:kvm_vcpu_ioctl_x86_set_debugregs
    Vcpu vcpu = typedVcpu(typedVm());
    assertThat(vcpu.debug().registers())
        .isEqualTo(new DebugRegisters(0, 0, 0, 0, 0xffff0ff0L, 0x400));
    var set = new DebugRegisters(0x1000, 0x2000, 0x3000, 0x4000, 0xffff0ff1L, 0x403);
    vcpu.debug().setRegisters(set);
    assertThat(vcpu.debug().registers()).isEqualTo(set);
    refused(
        Errno.EINVAL,
        () -> vcpu.debug().setRegisters(new DebugRegisters(0, 0, 0, 0, 1L << 32, 0x400)));
    refused(
        Errno.EINVAL, () -> vcpu.debug().setRegisters(new DebugRegisters(0, 0, 0, 0, 0, 1L << 32)));
    MemorySegment flags = struct(kvm_debugregs.layout());
    kvm_debugregs.flags(flags, 1);
    fails(Errno.EINVAL, raw(vcpu, KVM_SET_DEBUGREGS, flags));
  }

  @Test
  void aGuestIsSteppedThrough() {
    // x86.c:kvm_arch_vcpu_ioctl_set_guest_debug: nop; nop; hlt
    Vcpu vcpu = running(typedVm(), 0x90, 0x90, 0xf4);
    vcpu.debug().enable(EnumSet.of(GuestDebugFlag.SINGLE_STEP));
    for (int step = 1; step <= 2; step++) {
      long here = CODE + step;
      assertThat(vcpu.run(PATIENCE))
          .isInstanceOfSatisfying(
              Exit.Debug.class,
              exit -> {
                assertThat(exit.exception()).isEqualTo(1);
                assertThat(exit.pc()).isEqualTo(here);
                assertThat(exit.dr6() & 1 << 14).as("BS").isNotZero();
              });
    }
    vcpu.debug().disable();
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.Hlt.class);
  }

  @Test
  void oneExceptionAtATimeIsInjectedForTheDebugger() {
    // x86.c:kvm_arch_vcpu_ioctl_set_guest_debug: kvm_is_exception_pending
    Vcpu vcpu = typedVcpu(typedVm());
    vcpu.debug().enable(Set.of(GuestDebugFlag.INJECT_BP));
    assertThat(vcpu.injection().events().exception().vector()).isEqualTo(3);
    refused(Errno.EBUSY, () -> vcpu.debug().enable(Set.of(GuestDebugFlag.INJECT_DB)));
    vcpu.debug().enable(Set.of(GuestDebugFlag.HARDWARE_BREAKPOINTS), 0x403, 0x1000);
  }

  @Test
  void withoutPagingAnAddressIsPhysical() {
    // x86.c:kvm_arch_vcpu_ioctl_translate
    Vcpu vcpu = running(typedVm(), 0xf4);
    assertThat(vcpu.debug().translate(0x1234)).hasValue(0x1234);
    assertThat(vcpu.debug().translate(-1)).as("no address is that high").isEmpty();
  }

  @Test
  void theStateOfTheGuestsGuestsIsReadAndSet() {
    // svm/nested.c:svm_get_nested_state, svm_set_nested_state
    Vm vm = typedVm();
    assumeOffered(vm, Capability.NESTED_STATE);
    int most = vm.check(Capability.NESTED_STATE);
    Vcpu vcpu = typedVcpu(vm);
    NestedState state = vcpu.nested().state(most);
    assertThat(state.bytes()).hasSize((int) kvm_nested_state.sizeof());
    vcpu.nested().setState(state);
    assumeTrue(state.isSvm(), () -> "the processor of " + backend.name() + " has no SVM");
    assertThat(state.isInGuestMode()).isFalse();
    assertThat(state.flags()).isEqualTo(Kvm.KVM_STATE_NESTED_GIF_SET());
    MemorySegment changed = zeros(kvm_nested_state.sizeof());
    kvm_nested_state.size(changed, 64);
    kvm_nested_state.format(changed, (short) Kvm.KVM_STATE_NESTED_FORMAT_SVM());
    fails(Errno.EINVAL, raw(vcpu, KVM_SET_NESTED_STATE, changed));
    kvm_nested_state.size(changed, (int) kvm_nested_state.sizeof());
    succeeds(raw(vcpu, KVM_SET_NESTED_STATE, changed));
    assertThat(vcpu.nested().state(most).flags()).as("without GIF").isZero();
    for (int wrong :
        new int[] {
          1 << 14,
          Kvm.KVM_STATE_NESTED_RUN_PENDING(),
          Kvm.KVM_STATE_NESTED_GUEST_MODE(),
          Kvm.KVM_STATE_NESTED_EVMCS()
        }) {
      kvm_nested_state.flags(changed, (short) wrong);
      fails(Errno.EINVAL, raw(vcpu, KVM_SET_NESTED_STATE, changed));
    }
    kvm_nested_state.flags(changed, (short) 0);
    kvm_nested_state.format(changed, (short) Kvm.KVM_STATE_NESTED_FORMAT_VMX());
    fails(Errno.EINVAL, raw(vcpu, KVM_SET_NESTED_STATE, changed));
  }

  @Test
  void msrsAreReadAndSetByNameOneAtATime() {
    // msrs.c:kvm_get_set_one_reg, kvm_get_reg_list
    Vm vm = typedVm();
    assumeOffered(vm, Capability.ONE_REG);
    Vcpu vcpu = typedVcpu(vm);
    assertThat(vcpu.oneRegisters().list()).isEmpty();
    refused(Errno.EINVAL, () -> vcpu.oneRegisters().get(RegisterId.GUEST_SSP));
    assertThat(vcpu.oneRegisters().get(RegisterId.msr(APIC_BASE))).isEqualTo(0xfee0_0900L);
    vcpu.oneRegisters().set(RegisterId.msr(PAT), 0x0606_0606_0606_0606L);
    assertThat(vcpu.oneRegisters().get(RegisterId.msr(PAT))).isEqualTo(0x0606_0606_0606_0606L);
    refused(Errno.EINVAL, () -> vcpu.oneRegisters().set(RegisterId.msr(APIC_BASE), 1));
    for (long wrong :
        new long[] {
          RegisterId.msr(PAT).number() & ~Kvm.KVM_REG_ARCH_MASK(),
          RegisterId.msr(PAT).number() & ~Kvm.KVM_REG_SIZE_MASK(),
          RegisterId.msr(PAT).number() | 1L << 40,
          RegisterId.msr(PAT).number() | 4L << 32
        }) {
      MemorySegment one = struct(kvm_one_reg.layout());
      kvm_one_reg.id(one, wrong);
      kvm_one_reg.addr(one, zeros(8).address());
      fails(Errno.EINVAL, raw(vcpu, KVM_GET_ONE_REG, one));
    }
  }

  private MemorySegment msrs(int index, long value) {
    MemorySegment msrs = zeros(kvm_msrs.sizeof() + kvm_msr_entry.sizeof());
    kvm_msrs.nmsrs(msrs, 1);
    MemorySegment entry = msrs.asSlice(kvm_msrs.sizeof());
    kvm_msr_entry.index(entry, index);
    kvm_msr_entry.data(entry, value);
    return msrs;
  }

  private long msr(Vcpu vcpu, int index) {
    MemorySegment msrs = msrs(index, 0);
    assertThat(raw(vcpu, KVM_GET_MSRS_ON_VCPU, msrs)).as("MSR 0x%x", index).isEqualTo(1);
    return kvm_msr_entry.data(msrs.asSlice(kvm_msrs.sizeof()));
  }

  @Test
  void msrsAreReadAndSetUntilOneIsRefused() {
    // msrs.c:msr_io, __msr_io
    Vcpu vcpu = typedVcpu(typedVm());
    assertThat(msr(vcpu, PAT)).isEqualTo(0x0007_0406_0007_0406L);
    assertThat(raw(vcpu, KVM_SET_MSRS, msrs(PAT, 0x0606))).isEqualTo(1);
    assertThat(msr(vcpu, PAT)).isEqualTo(0x0606);
    assertThat(raw(vcpu, KVM_SET_MSRS, msrs(APIC_BASE, 1))).as("a reserved bit").isZero();
    assertThat(raw(vcpu, KVM_SET_MSRS, msrs(0x7fff_ffff, 0))).as("no such MSR").isZero();
    MemorySegment many = msrs(PAT, 0);
    kvm_msrs.nmsrs(many, 256);
    fails(Errno.E2BIG, raw(vcpu, KVM_GET_MSRS_ON_VCPU, many));
  }

  @Test
  void memoryTypesAreKeptIfTheyAreValid() {
    // mtrr.c:kvm_mtrr_valid, kvm_mtrr_set_msr
    Vcpu vcpu = typedVcpu(typedVm());
    assertThat(msr(vcpu, 0xfe)).as("how many there are").isEqualTo(0x508);
    for (int register : new int[] {0x200, 0x20e, 0x250, 0x258, 0x259, 0x268, 0x26f, 0x2ff}) {
      assertThat(msr(vcpu, register)).as("MSR 0x%x", register).isZero();
      assertThat(raw(vcpu, KVM_SET_MSRS, msrs(register, 6))).as("0x%x", register).isEqualTo(1);
      assertThat(msr(vcpu, register)).isEqualTo(6);
      assertThat(raw(vcpu, KVM_SET_MSRS, msrs(register, 2))).as("no type").isZero();
      assertThat(msr(vcpu, register)).isEqualTo(6);
    }
    assertThat(raw(vcpu, KVM_SET_MSRS, msrs(0x250, 0x0606_0606_0606_0605L))).isEqualTo(1);
    assertThat(raw(vcpu, KVM_SET_MSRS, msrs(0x250, 0x0206_0606_0606_0606L))).isZero();
    assertThat(raw(vcpu, KVM_SET_MSRS, msrs(0x2ff, 0xc06))).isEqualTo(1);
    assertThat(raw(vcpu, KVM_SET_MSRS, msrs(0x2ff, 0x106))).isZero();
    assertThat(raw(vcpu, KVM_SET_MSRS, msrs(0x200, 0x106))).isZero();
    assertThat(raw(vcpu, KVM_SET_MSRS, msrs(0x201, 0xf_ffff_f800L))).isEqualTo(1);
    assertThat(raw(vcpu, KVM_SET_MSRS, msrs(0x201, 0x400))).isZero();
    assertThat(raw(vcpu, KVM_SET_MSRS, msrs(0x201, 1L << 36))).as("no address").isZero();
    for (int none : new int[] {0x210, 0x251, 0x257, 0x25a, 0x267, 0x270}) {
      assertThat(raw(vcpu, KVM_SET_MSRS, msrs(none, 6))).as("MSR 0x%x", none).isZero();
    }
  }

  @Test
  void whatAGuestCanAskOfKvmIsOffAndCanBeSwitchedOff() {
    // msrs.c:kvm_set_msr_common: MSR_KVM_WALL_CLOCK and those after it
    Vcpu vcpu = typedVcpu(typedVm());
    for (int own : new int[] {0x11, 0x12, 0x4b56_4d00, 0x4b56_4d01, 0x4b56_4d02, 0x4b56_4d03}) {
      assertThat(msr(vcpu, own)).as("MSR 0x%x", own).isZero();
      assertThat(raw(vcpu, KVM_SET_MSRS, msrs(own, 0))).as("MSR 0x%x", own).isEqualTo(1);
    }
    for (int own : new int[] {0x4b56_4d04, 0x4b56_4d07}) {
      assertThat(raw(vcpu, KVM_SET_MSRS, msrs(own, 0))).as("MSR 0x%x", own).isEqualTo(1);
    }
    // kvm_pv_enable_async_pf_int: a notice by interrupt wants the kernel's APIC, even to be off.
    int byInterrupt = 0x4b56_4d06;
    assertThat(raw(vcpu, KVM_SET_MSRS, msrs(byInterrupt, 0))).isZero();
    Vm withApic = typedVm();
    succeeds(
        ioctl(withApic.fd().number(), dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_IRQCHIP, 0));
    assertThat(raw(typedVcpu(withApic), KVM_SET_MSRS, msrs(byInterrupt, 0))).isEqualTo(1);
  }

  @Test
  void theListOfMsrsSaysHowLongItIs() {
    // msrs.c:kvm_get_msr_index_list
    MemorySegment head = struct(kvm_msr_list.layout());
    fails(Errno.E2BIG, ioctl(kvm, KVM_GET_MSR_INDEX_LIST, head));
    int count = kvm_msr_list.nmsrs(head);
    MemorySegment list = zeros(kvm_msr_list.sizeof() + 4L * count);
    kvm_msr_list.nmsrs(list, count);
    succeeds(ioctl(kvm, KVM_GET_MSR_INDEX_LIST, list));
    int[] indices = list.asSlice(kvm_msr_list.sizeof()).toArray(ValueLayout.JAVA_INT);
    assertThat(indices).contains(0x174, 0x175, 0x176, 0x10);
  }

  @Test
  void theOlderCpuidHasNoSubleaves() {
    // cpuid.c:kvm_vcpu_ioctl_set_cpuid
    Vcpu vcpu = typedVcpu(typedVm());
    CpuidEntry sizes = new CpuidEntry(0x8000_0008, OptionalInt.empty(), 47 << 8, 0, 0, 0);
    refused(Errno.EINVAL, () -> vcpu.x86().setCpuidWithoutIndexes(List.of(sizes)));
    List<CpuidEntry> good = List.of(sizes.with(48 << 8 | 40, 1, 2, 3));
    vcpu.x86().setCpuidWithoutIndexes(good);
    assertThat(vcpu.x86().cpuid()).isEqualTo(good);
    List<CpuidEntry> many = Collections.nCopies(257, sizes);
    refused(Errno.E2BIG, () -> vcpu.x86().setCpuidWithoutIndexes(many));
  }

  @Test
  void accessesToTheTaskPriorityAreReported() {
    // x86.c:vcpu_ioctl_tpr_access_reporting
    Vcpu vcpu = typedVcpu(typedVm());
    vcpu.taskPriority().reportAccesses(true);
    vcpu.taskPriority().reportAccesses(false);
    MemorySegment flags = struct(kvm_tpr_access_ctl.layout());
    kvm_tpr_access_ctl.flags(flags, 1);
    fails(Errno.EINVAL, raw(vcpu, KVM_TPR_ACCESS_REPORTING, flags));
    refused(Errno.EINVAL, () -> vcpu.taskPriority().setAddress(0));
  }

  @Test
  void theTaskPriorityIsInASlot() {
    // lapic.c:kvm_lapic_set_vapic_addr
    Vm vm = typedVm();
    vm.enable(Capability.SPLIT_IRQCHIP, 24);
    Vcpu vcpu = typedVcpu(vm);
    refused(Errno.EINVAL, () -> vcpu.taskPriority().setAddress(CODE));
    slot(vm, CODE, PAGE);
    vcpu.taskPriority().setAddress(CODE);
    refused(Errno.EINVAL, () -> vcpu.taskPriority().setAddress(CODE + 2 * PAGE - 2));
    vcpu.taskPriority().setAddress(0);
  }

  @Test
  void aMaskOfSignalsHasEightBytes() {
    // kvm_main.c:kvm_vcpu_ioctl: KVM_SET_SIGNAL_MASK
    Vcpu vcpu = running(typedVm(), 0xf4);
    vcpu.setSignalMask(OptionalLong.of(1L << 9));
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.Hlt.class);
    vcpu.setSignalMask(OptionalLong.empty());
    MemorySegment wrong = zeros(kvm_signal_mask.sizeof() + 16);
    kvm_signal_mask.len(wrong, 16);
    fails(Errno.EINVAL, raw(vcpu, KVM_SET_SIGNAL_MASK, wrong));
  }

  @Test
  void noMaskOfSignalsKeepsAGuestFromItsDeadline() {
    // kvm_main.c:kvm_sigset_activate; jmp to itself
    Vcpu vcpu = running(typedVm(), 0xeb, 0xfe);
    vcpu.setSignalMask(OptionalLong.of(-1));
    assertThatThrownBy(() -> vcpu.run(Duration.ofMillis(50)))
        .isInstanceOf(GuestDeadlineException.class);
  }

  @Test
  void theFpuIsReadAsItWasSet() {
    // x86.c:kvm_arch_vcpu_ioctl_get_fpu, kvm_arch_vcpu_ioctl_set_fpu
    Vcpu vcpu = typedVcpu(typedVm());
    MemorySegment fpu = struct(kvm_fpu.layout());
    succeeds(raw(vcpu, KVM_GET_FPU, fpu));
    assertThat(kvm_fpu.fcw(fpu)).isEqualTo((short) 0x37f);
    kvm_fpu.fcw(fpu, (short) 0x27f);
    kvm_fpu.fpr(fpu, 1, 2, (byte) 0x42);
    kvm_fpu.xmm(fpu, 15, 15, (byte) 0x43);
    kvm_fpu.last_ip(fpu, 0x1234);
    succeeds(raw(vcpu, KVM_SET_FPU, fpu));
    MemorySegment read = struct(kvm_fpu.layout());
    succeeds(raw(vcpu, KVM_GET_FPU, read));
    assertThat(read.asSlice(0, 400).mismatch(fpu.asSlice(0, 400))).isEqualTo(-1);
    byte[] area = vcpu.extendedState().area();
    assertThat(area[32 + 16 + 2]).as("ST1, which is not in use yet").isZero();
    MemorySegment.ofArray(area).set(longs(), XSTATE_BV, 3);
    area[32 + 16 + 2] = 0x44;
    vcpu.extendedState().setArea(area);
    succeeds(raw(vcpu, KVM_GET_FPU, read));
    assertThat(kvm_fpu.fpr(read, 1, 2)).isEqualTo((byte) 0x44);
  }

  @Test
  void aLocalApicIsReadAsItWasSet() {
    // x86.c:kvm_vcpu_ioctl_get_lapic, lapic.c:kvm_apic_set_state
    Vm without = typedVm();
    MemorySegment lapic = struct(kvm_lapic_state.layout());
    Vcpu none = typedVcpu(without);
    fails(Errno.EINVAL, raw(none, KVM_GET_LAPIC, lapic));
    fails(Errno.EINVAL, raw(none, KVM_SET_LAPIC, lapic));
    Vm vm = typedVm();
    vm.enable(Capability.SPLIT_IRQCHIP, 24);
    vm.createVcpu(0);
    Vcpu vcpu = vm.createVcpu(1);
    succeeds(raw(vcpu, KVM_GET_LAPIC, lapic));
    assertThat(lapic.get(ValueLayout.JAVA_INT, 0x20)).as("ID").isEqualTo(1 << 24);
    assertThat(lapic.get(ValueLayout.JAVA_INT, 0x30) & 0xff).as("version").isEqualTo(0x14);
    assertThat(lapic.get(ValueLayout.JAVA_INT, 0xf0)).as("SPIV").isEqualTo(0xff);
    assertThat(lapic.get(ValueLayout.JAVA_INT, 0x350)).as("LVT0").isEqualTo(1 << 16);
    lapic.set(ValueLayout.JAVA_INT, 0x80, 0x20);
    lapic.set(ValueLayout.JAVA_INT, 0xf0, 0x1ff);
    lapic.set(ValueLayout.JAVA_INT, 0x350, 0x700);
    succeeds(raw(vcpu, KVM_SET_LAPIC, lapic));
    MemorySegment read = struct(kvm_lapic_state.layout());
    succeeds(raw(vcpu, KVM_GET_LAPIC, read));
    for (int register : new int[] {0x20, 0x30, 0x80, 0xd0, 0xe0, 0xf0, 0x320, 0x350, 0x360}) {
      assertThat(read.get(ValueLayout.JAVA_INT, register))
          .as("register 0x%x", register)
          .isEqualTo(lapic.get(ValueLayout.JAVA_INT, register));
    }
  }

  @Test
  void theNewerSpecialRegistersAreTheOlderOnes() {
    // x86.c:kvm_vcpu_ioctl_x86_get_sregs2, regs.c:__set_sregs2
    Vcpu vcpu = typedVcpu(typedVm());
    MemorySegment older = struct(kvm_sregs.layout());
    MemorySegment newer = struct(kvm_sregs2.layout());
    succeeds(raw(vcpu, KVM_GET_SREGS, older));
    succeeds(raw(vcpu, KVM_GET_SREGS2, newer));
    long same = kvm_sregs2.flags$offset();
    assertThat(newer.asSlice(0, same).mismatch(older.asSlice(0, same))).isEqualTo(-1);
    assertThat(kvm_sregs2.flags(newer)).isZero();
    kvm_sregs2.cr3(newer, 0x3000);
    succeeds(raw(vcpu, KVM_SET_SREGS2, newer));
    succeeds(raw(vcpu, KVM_GET_SREGS, older));
    assertThat(kvm_sregs.cr3(older)).isEqualTo(0x3000);
    kvm_sregs2.flags(newer, 2);
    fails(Errno.EINVAL, raw(vcpu, KVM_SET_SREGS2, newer));
    kvm_sregs2.flags(newer, 1);
    fails(Errno.EINVAL, raw(vcpu, KVM_SET_SREGS2, newer));
  }
}
