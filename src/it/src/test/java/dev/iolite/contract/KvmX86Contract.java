package dev.iolite.contract;

import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_SREGS;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_SREGS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.iolite.kernel.Errno;
import dev.iolite.kvm.FpuState;
import dev.iolite.kvm.LapicState;
import dev.iolite.kvm.MpState;
import dev.iolite.kvm.Msr;
import dev.iolite.kvm.Segment;
import dev.iolite.kvm.SpecialRegisters;
import dev.iolite.kvm.SpecialRegisters.Control;
import dev.iolite.kvm.SpecialRegisters.DescriptorTable;
import dev.iolite.kvm.SpecialRegisters.Segments;
import dev.iolite.kvm.SpecialRegisters2;
import dev.iolite.kvm.Vcpu;
import dev.iolite.kvm.VcpuEvents;
import dev.iolite.kvm.Vm;
import dev.iolite.uapi.kvm.kvm_sregs;
import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The state of an x86 processor, by the client's typed methods: it is read as it was set. */
abstract class KvmX86Contract extends KvmTypedContract {
  private static final int SYSENTER_CS = 0x174;
  private static final int SYSENTER_ESP = 0x175;
  private static final int LSTAR = 0xc000_0082;
  private static final int NO_MSR = 0x1234_5678;
  private static final long PE = 1;
  private static final long ET = 0x10;
  private static final long PG = 1L << 31;
  private static final long PAE = 0x20;

  KvmX86Contract(Backend backend) {
    super(backend);
  }

  private static Segment data(int selector, long base, boolean isAvailable) {
    return new Segment(
        selector, base, 0xffff_ffffL, 3, true, 0, true, false, true, true, isAvailable, false);
  }

  private static Segment system(int selector, long base, long limit, int type) {
    return new Segment(
        selector, base, limit, type, true, 0, false, false, false, false, false, false);
  }

  private static SpecialRegisters special(long cr0, long cr4) {
    return new SpecialRegisters(
        new Segments(
            new Segment(
                0x08, 0x1000, 0xffff_ffffL, 11, true, 0, true, false, true, true, false, false),
            data(0x10, 0x2000, true),
            data(0x18, 0x3000, false),
            data(0x20, 0x4000, true),
            data(0x28, 0x5000, false),
            data(0x30, 0x6000, true),
            system(0x38, 0x7000, 0x67, 11),
            system(0x40, 0x8000, 0xabc, 2)),
        new DescriptorTable(0x9000, 0xfff8),
        new DescriptorTable(0xa000, 0x7ff),
        new Control(cr0, 0xb000, 0xc000, cr4, 5),
        1,
        0xfee0_1900L);
  }

  @Test
  void theSpecialRegistersAreReadAsTheyWereSet() {
    // regs.c:__set_sregs, __get_sregs
    Vcpu vcpu = typedVcpu(typedVm());
    SpecialRegisters registers = special(PE | ET, PAE);
    vcpu.x86().setSpecialRegisters(registers);
    assertThat(vcpu.x86().specialRegisters()).isEqualTo(registers);
    assertThat(vcpu.x86().specialRegisters2())
        .isEqualTo(new SpecialRegisters2(registers, Optional.empty()));
    refused(Errno.EINVAL, () -> vcpu.x86().setSpecialRegisters(special(PG | ET, PAE)));
  }

  @Test
  void theDirectoryPointersAreReadAsTheyWereSet() {
    // regs.c:kvm_vcpu_ioctl_x86_set_sregs2, kvm_vcpu_ioctl_x86_get_sregs2
    Vcpu vcpu = typedVcpu(typedVm());
    SpecialRegisters2 paging =
        new SpecialRegisters2(
            special(PG | PE | ET, PAE), Optional.of(List.of(0x1001L, 0x2001L, 0x3001L, 0x4001L)));
    vcpu.x86().setSpecialRegisters2(paging);
    assumeTrue(backend.runsRealMode(), () -> backend.name() + " reads them from the page tables");
    assertThat(vcpu.x86().specialRegisters2()).isEqualTo(paging);
    SpecialRegisters2 without =
        new SpecialRegisters2(special(PE | ET, PAE), Optional.of(List.of(1L, 2L, 3L, 4L)));
    refused(Errno.EINVAL, () -> vcpu.x86().setSpecialRegisters2(without));
  }

  @Test
  void anInterruptThatWasInjectedIsPending() {
    // regs.c:__get_sregs, __set_sregs
    Vcpu vcpu = typedVcpu(typedVm());
    assertThat(vcpu.x86().pendingInterrupt()).isEmpty();
    vcpu.injection().interrupt(0x21);
    assertThat(vcpu.x86().pendingInterrupt()).hasValue(0x21);
    vcpu.x86().setSpecialRegisters(vcpu.x86().specialRegisters());
    assertThat(vcpu.x86().pendingInterrupt()).as("it stays").hasValue(0x21);
    vcpu.injection().setEvents(VcpuEvents.NONE);
    assertThat(vcpu.x86().pendingInterrupt()).isEmpty();
    MemorySegment sregs = struct(kvm_sregs.layout());
    succeeds(raw(vcpu, KVM_GET_SREGS, sregs));
    kvm_sregs.interrupt_bitmap(sregs, 1, 0b11000);
    succeeds(raw(vcpu, KVM_SET_SREGS, sregs));
    assertThat(vcpu.x86().pendingInterrupt()).hasValue(67);
    assertThat(vcpu.injection().events().interrupt().vector()).isEqualTo(67);
    vcpu.injection().setEvents(VcpuEvents.NONE);
    assertThat(vcpu.x86().pendingInterrupt()).as("the events have it").isEmpty();
  }

  private static List<FpuState.Register> registers(int count, long first) {
    return IntStream.range(0, count)
        .mapToObj(i -> new FpuState.Register(first + 2L * i, first + 2L * i + 1))
        .toList();
  }

  private static FpuState fpu(int mxcsr) {
    return new FpuState(
        0x27f, 0x3800, 0x81, 0x123, 0x4567, 0x89ab, mxcsr, registers(8, 0x100), registers(16, 512));
  }

  @Test
  void theFpuIsReadAsItWasSet() {
    // x86.c:kvm_arch_vcpu_ioctl_set_fpu, which leaves MXCSR alone
    Vcpu vcpu = typedVcpu(typedVm());
    vcpu.x86().setFpu(fpu(0x1f80));
    assertThat(vcpu.x86().fpu()).isEqualTo(fpu(0));
  }

  @Test
  void registersAreReadAndWrittenUpToOneThatIsNotThere() {
    // msrs.c:msr_io
    Vcpu vcpu = typedVcpu(typedVm());
    List<Msr> good = List.of(new Msr(SYSENTER_CS, 0x10), new Msr(LSTAR, 0x1234_5678_9abcL));
    assertThat(vcpu.x86().setMsrs(good)).isEqualTo(2);
    assertThat(vcpu.x86().msrs(List.of(LSTAR, SYSENTER_CS))).isEqualTo(good.reversed());
    Msr beyond = new Msr(SYSENTER_ESP, 0x20);
    assertThat(vcpu.x86().setMsrs(List.of(good.getFirst(), new Msr(NO_MSR, 1), beyond)))
        .isEqualTo(1);
    assertThat(vcpu.x86().msrs(List.of(SYSENTER_ESP, NO_MSR, LSTAR)))
        .containsExactly(new Msr(SYSENTER_ESP, 0));
    refused(Errno.E2BIG, () -> vcpu.x86().msrs(Collections.nCopies(256, LSTAR)));
    refused(Errno.E2BIG, () -> vcpu.x86().setMsrs(Collections.nCopies(256, good.getFirst())));
  }

  @Test
  void theLocalApicIsReadAsItWasSet() {
    // lapic.c:kvm_apic_set_state
    Vm vm = typedVm();
    vm.interrupts().createIrqchip();
    Vcpu vcpu = typedVcpu(vm);
    LapicState set =
        vcpu.x86()
            .lapic()
            .with(0x80, 0x30)
            .with(0xf0, 0x1fe)
            .with(LapicState.LVT_LINT0, 0x1_0700)
            .with(LapicState.LVT_LINT1, 0x400);
    vcpu.x86().setLapic(set);
    LapicState read = vcpu.x86().lapic();
    for (int register : new int[] {0x20, 0x80, 0xf0, LapicState.LVT_LINT0, LapicState.LVT_LINT1}) {
      assertThat(read.register(register)).isEqualTo(set.register(register));
    }
    refused(Errno.EINVAL, () -> typedVcpu(typedVm()).x86().lapic());
  }

  @Test
  void aVcpuWithAnApicWaits() {
    // x86.c:kvm_arch_vcpu_ioctl_set_mpstate
    Vcpu without = typedVcpu(typedVm());
    Vm vm = typedVm();
    vm.interrupts().createIrqchip();
    Vcpu vcpu = typedVcpu(vm);
    for (MpState state : MpState.values()) {
      if (state != MpState.RUNNABLE) {
        refused(Errno.EINVAL, () -> without.x86().setMpState(state));
      }
      vcpu.x86().setMpState(state);
      assertThat(vcpu.x86().mpState())
          .isEqualTo(state == MpState.SIPI_RECEIVED ? MpState.RUNNABLE : state);
    }
  }

  @Test
  void theMaskThatIsSetLimitsTheNmisThatAreSet() {
    // x86.c:kvm_vcpu_ioctl_x86_set_vcpu_events, process_nmi
    Vcpu vcpu = typedVcpu(typedVm());
    vcpu.injection()
        .setEvents(VcpuEvents.NONE.with(new VcpuEvents.Nmi(false, OptionalInt.of(2), true)));
    assertThat(vcpu.injection().events().nmi().pending()).hasValue(1);
    vcpu.injection()
        .setEvents(VcpuEvents.NONE.with(new VcpuEvents.Nmi(false, OptionalInt.of(2), false)));
    assertThat(vcpu.injection().events().nmi().pending()).hasValue(2);
  }
}
