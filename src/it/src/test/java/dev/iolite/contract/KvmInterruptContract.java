package dev.iolite.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.EventFd;
import dev.iolite.kvm.Capability;
import dev.iolite.kvm.Exit;
import dev.iolite.kvm.GeneralRegisters;
import dev.iolite.kvm.GsiRoute;
import dev.iolite.kvm.GsiRoute.Chip;
import dev.iolite.kvm.GuestDeadlineException;
import dev.iolite.kvm.IoapicState;
import dev.iolite.kvm.KvmEvent;
import dev.iolite.kvm.MemorySlot;
import dev.iolite.kvm.PicState;
import dev.iolite.kvm.PitState;
import dev.iolite.kvm.Vcpu;
import dev.iolite.kvm.Vm;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** The interrupts of a VM, by the client's typed methods. */
abstract class KvmInterruptContract extends KvmTypedContract {
  private static final long MESSAGES = 0xfee0_0000L;
  private static final int SPURIOUS = 0xf0;
  private static final int ENABLED = 0x1ff;
  private static final int REQUESTS = 0x200;
  private static final Duration SHORT = Duration.ofMillis(50);

  KvmInterruptContract(Backend backend) {
    super(backend);
  }

  private Vm withIrqchip() {
    Vm vm = typedVm();
    vm.interrupts().createIrqchip();
    return vm;
  }

  private static void enableApic(Vcpu vcpu) {
    vcpu.x86().setLapic(vcpu.x86().lapic().with(SPURIOUS, ENABLED));
  }

  private static boolean isRequested(Vcpu vcpu, int vector) {
    int register = vcpu.x86().lapic().register(REQUESTS + vector / 32 * 16);
    return (register >>> vector % 32 & 1) != 0;
  }

  private static PicState pic(int irqBase) {
    return new PicState(1, 2, 0xff, 4, 5, irqBase, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
  }

  @Test
  void thePicsAreReadAsTheyWereSet() {
    // irq.c:kvm_vm_ioctl_set_irqchip; all is masked, so that nothing moves on
    Vm vm = withIrqchip();
    vm.interrupts().setPic(Chip.PIC_MASTER, pic(0x60));
    vm.interrupts().setPic(Chip.PIC_SLAVE, pic(0x68));
    assertThat(vm.interrupts().pic(Chip.PIC_MASTER)).isEqualTo(pic(0x60));
    assertThat(vm.interrupts().pic(Chip.PIC_SLAVE)).isEqualTo(pic(0x68));
    refused(Errno.ENXIO, () -> typedVm().interrupts().pic(Chip.PIC_MASTER));
  }

  @Test
  void theIoapicIsReadAsItWasSet() {
    // ioapic.c:kvm_set_ioapic: a request of a masked pin stays
    Vm vm = withIrqchip();
    IoapicState state =
        new IoapicState(
            0xfec0_1000L,
            3,
            4,
            1 << 5,
            LongStream.range(0, 24).map(i -> i << 56 | 1 << 16 | 0x20 + i).boxed().toList());
    vm.interrupts().setIoapic(state);
    assertThat(vm.interrupts().ioapic()).isEqualTo(state);
    refused(Errno.ENXIO, () -> typedVm().interrupts().ioapic());
  }

  private static PitState.Channel channel(int number) {
    int first = number * 16;
    return new PitState.Channel(
        0x1234 + first,
        first + 1,
        1,
        1,
        first + 2,
        first + 3,
        first + 4,
        first + 5,
        first + 6,
        5,
        1,
        1,
        0);
  }

  @Test
  void theTimerIsReadAsItWasSet() {
    // irq.c:kvm_vm_ioctl_set_pit2; mode 5 starts no timer
    Vm vm = withIrqchip();
    refused(Errno.ENXIO, () -> vm.interrupts().pit());
    vm.interrupts().createPit(true);
    PitState state =
        new PitState(
            IntStream.range(0, 3).mapToObj(KvmInterruptContract::channel).toList(), true, true);
    vm.interrupts().setPit(state);
    assertThat(vm.interrupts().pit())
        .usingRecursiveComparison()
        .ignoringFieldsMatchingRegexes(".*countLoadTime")
        .isEqualTo(state);
    refused(Errno.EEXIST, () -> vm.interrupts().createPit(false));
  }

  private static IoapicState withEntry(IoapicState state, int pin, long entry) {
    List<Long> entries =
        IntStream.range(0, 24)
            .mapToObj(i -> i == pin ? entry : state.redirections().get(i))
            .toList();
    return new IoapicState(state.baseAddress(), state.selected(), state.id(), state.irr(), entries);
  }

  @Test
  void aLineSaysWhatBecameOfIt() {
    // ioapic.c:ioapic_set_irq, ioapic_service
    Vm vm = withIrqchip();
    assertThat(vm.interrupts().setLineStatus(20, true)).as("masked").isNegative();
    assertThat(vm.interrupts().setLineStatus(20, true)).as("and pending").isZero();
    assertThat(vm.interrupts().ioapic().irr()).isEqualTo(1 << 20);
    Vcpu vcpu = typedVcpu(vm);
    enableApic(vcpu);
    vm.interrupts().setIoapic(withEntry(vm.interrupts().ioapic(), 21, 0x51));
    assertThat(vm.interrupts().setLineStatus(21, true)).isEqualTo(1);
    assertThat(isRequested(vcpu, 0x51)).isTrue();
    assertThat(vm.interrupts().ioapic().irr()).as("it was delivered").isEqualTo(1 << 20);
    assertThat(vm.interrupts().setLineStatus(21, true)).as("no edge").isZero();
    vm.interrupts().setLine(21, false);
    assertThat(vm.interrupts().setLineStatus(21, true)).as("a new edge").isEqualTo(1);
    vm.interrupts().setIoapic(withEntry(vm.interrupts().ioapic(), 22, 0x8052));
    assertThat(vm.interrupts().setLineStatus(22, true)).as("a level").isEqualTo(1);
    assertThat(vm.interrupts().ioapic().redirections().get(22)).isEqualTo(0xc052);
    assertThat(vm.interrupts().setLineStatus(22, true)).as("waits for its EOI").isNegative();
    vm.interrupts().setIoapic(withEntry(vm.interrupts().ioapic(), 20, 0x53));
    assertThat(isRequested(vcpu, 0x53)).as("what was pending is delivered").isTrue();
    refused(Errno.ENXIO, () -> typedVm().interrupts().setLineStatus(5, true));
  }

  @Test
  void aLineIsRoutedToPinsOrToAMessage() {
    // irqchip.c:kvm_set_irq, irq.c:kvm_set_msi
    Vm vm = withIrqchip();
    Vcpu vcpu = typedVcpu(vm);
    enableApic(vcpu);
    vm.interrupts()
        .route(
            List.of(
                new GsiRoute.Pin(30, Chip.IOAPIC, 7),
                new GsiRoute.Pin(30, Chip.PIC_MASTER, 3),
                new GsiRoute.Message(31, MESSAGES, 0x61, OptionalInt.empty())));
    vm.interrupts().setLine(30, true);
    assertThat(vm.interrupts().ioapic().irr()).isEqualTo(1 << 7);
    assertThat(vm.interrupts().pic(Chip.PIC_MASTER).irr()).isEqualTo(1 << 3);
    assertThat(vm.interrupts().setLineStatus(31, true)).isEqualTo(1);
    assertThat(isRequested(vcpu, 0x61)).isTrue();
    assertThat(vm.interrupts().setLineStatus(31, false)).as("no edge of a message").isNegative();
    assertThat(vm.interrupts().setLineStatus(5, true)).as("no route").isNegative();
    refused(
        Errno.EINVAL, () -> vm.interrupts().route(List.of(new GsiRoute.Pin(1, Chip.IOAPIC, 24))));
    Vm split = typedVm();
    split.enable(Capability.SPLIT_IRQCHIP, 24);
    refused(
        Errno.EINVAL, () -> split.interrupts().route(List.of(new GsiRoute.Pin(1, Chip.IOAPIC, 1))));
  }

  private static int message(Vm vm, int destination, int data) {
    return vm.interrupts().signalMsi(MESSAGES | destination << 12, data, OptionalInt.empty());
  }

  @Test
  void aMessageReachesTheVcpuThatItNames() {
    // lapic.c:__kvm_irq_delivery_to_apic_fast, __apic_accept_irq
    Vm vm = withIrqchip();
    refused(Errno.EPERM, () -> message(vm, 0, 0x41));
    Vcpu first = vm.createVcpu(0);
    Vcpu second = vm.createVcpu(1);
    assertThat(message(vm, 1, 0x41)).as("its APIC is off").isZero();
    enableApic(second);
    assertThat(message(vm, 1, 0x41)).isEqualTo(1);
    assertThat(isRequested(second, 0x41)).isTrue();
    assertThat(message(vm, 5, 0x41)).as("nobody is there").isZero();
    assertThat(message(vm, 0xff, 0x42)).as("to all").isEqualTo(1);
    enableApic(first);
    assertThat(message(vm, 0xff, 0x43)).isEqualTo(2);
    assertThat(isRequested(first, 0x42)).isFalse();
    assertThat(isRequested(first, 0x43)).isTrue();
  }

  /**
   * A vCPU at this code, whose interrupt has a handler, which ends it between two outputs. Any
   * other interrupt makes another output.
   */
  private Vcpu handling(Vm vm, int vector, int... code) {
    Vcpu vcpu = running(vm, code);
    MemorySlot low = slot(vm, 0, PAGE);
    MemorySegment memory = at(low.hostAddress(), PAGE);
    for (int other = 0; other < 256; other++) {
      memory.set(ValueLayout.JAVA_INT, other * 4L, 0x900);
    }
    // out 0x8f, al; hlt
    MemorySegment.copy(
        new byte[] {(byte) 0xe6, (byte) 0x8f, (byte) 0xf4},
        0,
        memory,
        ValueLayout.JAVA_BYTE,
        0x900,
        3);
    memory.set(ValueLayout.JAVA_INT, vector * 4L, 0x800);
    // out 0x80, al; mov dword [0xfee000b0], 0; out 0x81, al; hlt
    byte[] handler = {
      (byte) 0xe6,
      (byte) 0x80,
      0x66,
      0x67,
      (byte) 0xc7,
      5,
      (byte) 0xb0,
      0,
      (byte) 0xe0,
      (byte) 0xfe,
      0,
      0,
      0,
      0,
      (byte) 0xe6,
      (byte) 0x81,
      (byte) 0xf4
    };
    MemorySegment.copy(handler, 0, memory, ValueLayout.JAVA_BYTE, 0x800, 17);
    vcpu.setRegisters(
        new GeneralRegisters(0, 0, 0, 0, 0, 0, 0x700, 0, 0, 0, 0, 0, 0, 0, 0, 0, CODE, 2));
    return vcpu;
  }

  @Test
  void anNmiWakesAVcpuThatHalts() {
    // x86.c:kvm_vcpu_has_events; hlt
    Vm vm = withIrqchip();
    Vcpu vcpu = handling(vm, 2, 0xf4);
    assertThatThrownBy(() -> vcpu.run(SHORT)).isInstanceOf(GuestDeadlineException.class);
    vcpu.injection().nmi();
    assertThat(port(vcpu)).isEqualTo(0x80);
  }

  @Test
  void aMessageThatIsAnNmiNeedsNoApic() {
    // lapic.c:__apic_accept_irq: APIC_DM_NMI; hlt
    Vm vm = withIrqchip();
    Vcpu vcpu = handling(vm, 2, 0xf4);
    // Puts it into the map of APICs.
    vcpu.x86().setLapic(vcpu.x86().lapic());
    assertThat(message(vm, 0, 0x400)).isEqualTo(1);
    assertThat(port(vcpu)).isEqualTo(0x80);
  }

  @Test
  void aMessageWakesAVcpuThatTakesInterrupts() {
    // irq.c:kvm_cpu_has_interrupt; hlt; sti; hlt
    Vm vm = withIrqchip();
    Vcpu vcpu = handling(vm, 0x41, 0xfb, 0xf4);
    enableApic(vcpu);
    assertThatThrownBy(() -> vcpu.run(SHORT)).isInstanceOf(GuestDeadlineException.class);
    assertThat(message(vm, 0, 0x41)).isEqualTo(1);
    assertThat(port(vcpu)).isEqualTo(0x80);
    assertThat(isRequested(vcpu, 0x41)).as("it is in service").isFalse();
  }

  @Test
  void anEventfdRaisesOneGsi() {
    // eventfd.c:kvm_irqfd_assign, irq.c:kvm_arch_irqfd_allowed
    EventFd source = closed(EventFd.create(kernel));
    EventFd other = closed(EventFd.create(kernel));
    refused(Errno.EINVAL, () -> typedVm().interrupts().irqfd(source, 5));
    Vm split = typedVm();
    split.enable(Capability.SPLIT_IRQCHIP, 24);
    refused(Errno.EINVAL, () -> split.interrupts().irqfd(source, 5, other));
    split.interrupts().irqfd(source, 5).close();
    Vm vm = withIrqchip();
    KvmEvent raises = vm.interrupts().irqfd(source, 5);
    refused(Errno.EBUSY, () -> split.interrupts().irqfd(source, 6));
    raises.close();
    closed(vm.interrupts().irqfd(source, 5, other));
    closed(vm.interrupts().irqfd(other, 1000));
  }

  /** The local APIC has an interrupt as soon as a thread of the kernel has delivered it. */
  private static void comes(Vcpu vcpu, int vector) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!isRequested(vcpu, vector)) {
      assertThat(System.nanoTime()).as("interrupt 0x%x comes", vector).isLessThan(end);
      LockSupport.parkNanos(1_000_000);
    }
  }

  @Test
  void aSignalIsAnEdgeOfAPinOrAMessage() {
    // eventfd.c:irqfd_wakeup, irqfd_inject
    Vm vm = withIrqchip();
    Vcpu vcpu = typedVcpu(vm);
    enableApic(vcpu);
    vm.interrupts()
        .route(
            List.of(
                new GsiRoute.Pin(30, Chip.IOAPIC, 7),
                new GsiRoute.Message(31, MESSAGES, 0x61, OptionalInt.empty()),
                new GsiRoute.Message(32, MESSAGES, 0x62, OptionalInt.empty())));
    vm.interrupts().setIoapic(withEntry(vm.interrupts().ioapic(), 7, 0x52));
    EventFd pin = closed(EventFd.create(kernel));
    EventFd message = closed(EventFd.create(kernel));
    EventFd early = closed(EventFd.create(kernel));
    KvmEvent raises = vm.interrupts().irqfd(pin, 30);
    closed(vm.interrupts().irqfd(message, 31));
    early.signal(1);
    closed(vm.interrupts().irqfd(early, 32));
    pin.signal(1);
    message.signal(3);
    comes(vcpu, 0x52);
    comes(vcpu, 0x61);
    comes(vcpu, 0x62);
    assertThat(message.await(Duration.ZERO)).as("KVM takes the count").isZero();
    raises.close();
    assertThat(vm.interrupts().setLineStatus(30, true)).as("a new edge").isEqualTo(1);
    pin.signal(2);
    assertThat(pin.await(Duration.ZERO)).as("KVM has let go of it").isEqualTo(2);
  }

  private static int port(Vcpu vcpu) {
    return ((Exit.IoOut) vcpu.run(PATIENCE)).port();
  }

  @Test
  void aSignalIsALevelUntilTheGuestEndsItsInterrupt() {
    // eventfd.c:irqfd_resampler_ack, ioapic.c:kvm_ioapic_update_eoi_one; sti; hlt
    Vm vm = withIrqchip();
    Vcpu vcpu = handling(vm, 0x51, 0xfb, 0xf4);
    enableApic(vcpu);
    long level = 0x8051;
    long waiting = 0xc051;
    vm.interrupts().setIoapic(withEntry(vm.interrupts().ioapic(), 20, level));
    EventFd source = closed(EventFd.create(kernel));
    EventFd resample = closed(EventFd.create(kernel));
    EventFd other = closed(EventFd.create(kernel));
    EventFd otherResample = closed(EventFd.create(kernel));
    KvmEvent raises = vm.interrupts().irqfd(source, 20, resample);
    KvmEvent too = vm.interrupts().irqfd(other, 20, otherResample);
    source.signal(1);
    comes(vcpu, 0x51);
    assertThat(vm.interrupts().ioapic().irr()).isEqualTo(1 << 20);
    assertThat(vm.interrupts().ioapic().redirections().get(20)).isEqualTo(waiting);
    assertThat(resample.await(Duration.ZERO)).as("not yet").isZero();
    assertThat(port(vcpu)).isEqualTo(0x80);
    assertThat(port(vcpu)).isEqualTo(0x81);
    assertThat(resample.await(PATIENCE)).isEqualTo(1);
    assertThat(otherResample.await(PATIENCE)).as("it may have been either").isEqualTo(1);
    assertThat(vm.interrupts().ioapic().irr()).isZero();
    assertThat(vm.interrupts().ioapic().redirections().get(20)).isEqualTo(level);
    assertThat(isRequested(vcpu, 0x51)).isFalse();
    source.signal(1);
    comes(vcpu, 0x51);
    raises.close();
    assertThat(vm.interrupts().ioapic().irr()).as("another one may want it").isEqualTo(1 << 20);
    too.close();
    assertThat(vm.interrupts().ioapic().irr()).as("nobody wants it").isZero();
  }

  @Test
  void aLevelThatAnotherSourceDemandsComesAgain() {
    // ioapic.h:__kvm_irq_line_state; sti; hlt
    Vm vm = withIrqchip();
    Vcpu vcpu = handling(vm, 0x51, 0xfb, 0xf4);
    enableApic(vcpu);
    vm.interrupts().setIoapic(withEntry(vm.interrupts().ioapic(), 20, 0x8051));
    EventFd source = closed(EventFd.create(kernel));
    EventFd resample = closed(EventFd.create(kernel));
    closed(vm.interrupts().irqfd(source, 20, resample));
    vm.interrupts().setLine(20, true);
    source.signal(1);
    assertThat(port(vcpu)).isEqualTo(0x80);
    assertThat(port(vcpu)).isEqualTo(0x81);
    assertThat(resample.await(PATIENCE)).isEqualTo(1);
    assertThat(isRequested(vcpu, 0x51)).as("the owner still demands it").isTrue();
    vm.interrupts().setLine(20, false);
    assertThat(vm.interrupts().ioapic().irr()).isZero();
  }

  @Test
  void aGuestReachesItsLocalApicByMemory() {
    // lapic.c:kvm_lapic_reg_write; mov dword [0xfee00080], 0x120; mov eax, [0xfee000f0]; out 0x80,
    // eax
    Vm vm = withIrqchip();
    Vcpu vcpu =
        running(
            vm, 0x66, 0x67, 0xc7, 5, 0x80, 0, 0xe0, 0xfe, 0x20, 1, 0, 0, 0x66, 0x67, 0xa1, 0xf0, 0,
            0xe0, 0xfe, 0x66, 0xe7, 0x80);
    enableApic(vcpu);
    assertThat(vcpu.run(PATIENCE))
        .isInstanceOfSatisfying(
            Exit.IoOut.class, out -> assertThat(out.value(0)).isEqualTo(ENABLED));
    assertThat(vcpu.x86().lapic().register(0x80)).isEqualTo(0x20);
  }

  @Test
  void aWriteSignalsAnEventfd() {
    // eventfd.c:ioeventfd_write, ioeventfd_in_range; mov al, 7; out 0x80, al; out 0x81, al
    Vm vm = typedVm();
    Vcpu vcpu = running(vm, 0xb0, 7, 0xe6, 0x80, 0xe6, 0x81);
    EventFd event = closed(EventFd.create(kernel));
    EventFd other = closed(EventFd.create(kernel));
    KvmEvent seven = vm.interrupts().ioeventfd(event, 0x80, true, 1, OptionalLong.of(7));
    vm.interrupts().ioeventfd(other, 0x81, true, 1, OptionalLong.of(8));
    refused(
        Errno.EEXIST, () -> vm.interrupts().ioeventfd(other, 0x80, true, 1, OptionalLong.empty()));
    refused(
        Errno.EINVAL, () -> vm.interrupts().ioeventfd(other, 0x90, true, 3, OptionalLong.empty()));
    assertThat(vcpu.run(PATIENCE))
        .isInstanceOfSatisfying(Exit.IoOut.class, out -> assertThat(out.port()).isEqualTo(0x81));
    assertThat(event.await(PATIENCE)).isEqualTo(1);
    seven.close();
    vcpu.enterRealMode(CODE);
    assertThat(vcpu.run(PATIENCE))
        .isInstanceOfSatisfying(Exit.IoOut.class, out -> assertThat(out.port()).isEqualTo(0x80));
  }
}
