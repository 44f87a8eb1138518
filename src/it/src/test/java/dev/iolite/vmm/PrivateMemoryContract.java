package dev.iolite.vmm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Page;
import dev.iolite.kvm.Exit;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.RealModeCode;
import dev.iolite.kvm.RealModeCode.Register;
import dev.iolite.kvm.Vcpu;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmType;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A guest that converts pages of its RAM, in a VM whose memory software protects. */
abstract class PrivateMemoryContract {
  private static final long RAM = 4 << 20;
  private static final long CODE = 0x1000;
  private static final long PAGE = 0x20_0000;
  private static final int DONE = 0x10;
  private static final int MAP_GPA_RANGE = 12;
  private static final int ENCRYPTED = 1 << 4;
  private static final int SHARED = 0;

  private final CloseStack open = new CloseStack();
  final List<String> freed = new ArrayList<>();
  private final GuestMemory memory;
  final Vm vm;
  private final PrivateMemory privateMemory;
  private final Vcpu vcpu;

  PrivateMemoryContract(Kernel kernel) {
    Kernel watched =
        new ForwardingKernel(kernel) {
          @Override
          public int fallocate(int fd, int mode, long offset, long bytes) {
            freed.add("0x%x+0x%x".formatted(offset, bytes));
            return super.fallocate(fd, mode, offset, bytes);
          }
        };
    memory = open.push(new GuestMemory(watched, RAM));
    vm = open.push(open.push(Kvm.open(watched)).createVm(VmType.SW_PROTECTED));
    assertThat(vm.exitOnMapGpa()).isTrue();
    privateMemory = memory.addPrivateTo(vm);
    vcpu = vm.createVcpu(0);
  }

  @AfterEach
  void close() {
    open.close();
  }

  /** Lets the guest's processor do something; what it leaves in EAX. */
  private int run(RealModeCode code) {
    code.out(DONE).copyTo(memory.at(CODE, Page.BYTES), 0);
    End end = new End();
    List<Integer> said = new ArrayList<>();
    PortBus ports = new PortBus();
    ports.add(
        DONE,
        1,
        new PortDevice() {
          @Override
          public int read(int port, int bytes) {
            return 0;
          }

          @Override
          public void write(int port, int bytes, int value) {
            said.add(value);
            end.with(Outcome.POWER_OFF);
          }
        });
    vcpu.enterRealMode(CODE);
    new Processor(Optional.of(privateMemory), vcpu, ports, new PciBus(), end).run();
    end.await(() -> true);
    return said.getFirst();
  }

  private int read(long gpa) {
    return run(new RealModeCode().load(gpa));
  }

  private void write(long gpa, int value) {
    run(new RealModeCode().set(Register.EAX, value).store(gpa));
  }

  private int convert(long gpa, long pages, int kind) {
    return run(
        new RealModeCode()
            .set(Register.EAX, MAP_GPA_RANGE)
            .set(Register.EBX, gpa)
            .set(Register.ECX, pages)
            .set(Register.EDX, kind)
            .hypercall());
  }

  private int host(long gpa) {
    return memory.at(gpa, Integer.BYTES).get(ValueLayout.JAVA_INT, 0);
  }

  @Test
  void thePrivateHalfOfAPageIsTheGuestsAndTheSharedHalfStays() {
    write(PAGE, 0x1111);
    assertThat(convert(PAGE, 1, ENCRYPTED)).isZero();
    assertThat(read(PAGE)).as("fresh").isZero();
    write(PAGE, 0x2222);
    assertThat(read(PAGE)).isEqualTo(0x2222);
    assertThat(host(PAGE)).isEqualTo(0x1111);
    write(PAGE + Page.BYTES, 0x3333);
    assertThat(host(PAGE + Page.BYTES)).as("the next page is shared").isEqualTo(0x3333);
    assertThat(convert(PAGE, 1, SHARED)).isZero();
    assertThat(read(PAGE)).isEqualTo(0x1111);
    write(PAGE, 0x4444);
    assertThat(host(PAGE)).isEqualTo(0x4444);
  }

  @Test
  void whatWasPrivateIsGoneOnceThePageWasShared() {
    assertThat(convert(PAGE, 2, ENCRYPTED)).isZero();
    write(PAGE, 0x5555);
    write(PAGE + Page.BYTES, 0x6666);
    assertThat(convert(PAGE, 1, SHARED)).isZero();
    assertThat(freed).containsExactly("0x200000+0x1000");
    assertThat(convert(PAGE, 1, ENCRYPTED)).isZero();
    assertThat(read(PAGE)).as("freed").isZero();
    assertThat(read(PAGE + Page.BYTES)).as("still private").isEqualTo(0x6666);
  }

  @Test
  void onlyRamIsConverted() {
    int refused = Errno.EINVAL.negated();
    assertThat(convert(0xd000_0000L, 1, ENCRYPTED)).isEqualTo(refused);
    assertThat(convert(RAM - Page.BYTES, 2, ENCRYPTED)).isEqualTo(refused);
    assertThat(convert(PAGE, 0x1000_0001L, ENCRYPTED)).isEqualTo(refused);
    assertThat(convert(0xd000_0000L, 1, SHARED)).as("it is not private").isZero();
    assertThat(convert(RAM - Page.BYTES, 1, ENCRYPTED)).as("the last page").isZero();
    assertThat(freed).isEmpty();
  }

  @Test
  void anAccessIsMadeAgainIfItsPageWasConvertedMeanwhile() {
    assertThat(convert(PAGE, 1, ENCRYPTED)).isZero();
    assertThat(isResolved(PAGE, false)).isTrue();
    assertThat(isResolved(PAGE, true)).as("it is private already").isFalse();
    assertThat(isResolved(PAGE + Page.BYTES, true)).isTrue();
    assertThat(isResolved(0xd000_0000L, true)).as("it is not RAM").isFalse();
  }

  private boolean isResolved(long gpa, boolean isPrivate) {
    return privateMemory.isResolved(new Exit.MemoryFault(isPrivate, gpa, Page.BYTES));
  }

  @Test
  void anAccessThatCanNeverBeMadeEndsTheGuest() {
    vm.setPrivate(0xd000_0000L, Page.BYTES, true);
    assertThatThrownBy(() -> read(0xd000_0000L))
        .isInstanceOf(GuestFailedException.class)
        .hasMessageContaining("fault of a private access at 0xd0000000");
  }
}
