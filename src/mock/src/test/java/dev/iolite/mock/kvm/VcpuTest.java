package dev.iolite.mock.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.MockKernel;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_dirty_log;
import dev.iolite.uapi.kvm.kvm_ioeventfd;
import dev.iolite.uapi.kvm.kvm_pre_fault_memory;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.kvm.kvm_signal_mask;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** vCPUs and what they reach. */
class VcpuTest {
  private static final long PAGE = RawKvm.PAGE;
  private static final int EINVAL = Errno.EINVAL.negated();
  private static final long GPA = 0x1000;

  private final RawKvm kvm = new RawKvm(MockKernel.plain());
  private final int vm = kvm.createVm(Kvm.KVM_X86_DEFAULT_VM());
  private final long ram = kvm.memory(2 * PAGE);
  private final MemorySegment memory = kvm.memoryAt(ram, 2 * PAGE);
  private int vcpu;
  private MemorySegment run = MemorySegment.NULL;

  @BeforeEach
  void guest() {
    assertThat(kvm.region(vm, 0, Kvm.KVM_MEM_LOG_DIRTY_PAGES(), GPA, 2 * PAGE, ram)).isZero();
    vcpu = kvm.createVcpu(vm, 0);
    run = kvm.run(vcpu);
    MachineCode.begin(kvm, vcpu, GPA);
  }

  @Test
  void garbageIsRefused() {
    assertThat(kvm.kernel.ioctl(vcpu, Kvm.KVM_RUN(), 1)).isEqualTo(EINVAL);
    assertThat(kvm.kernel.ioctl(vcpu, Kvm.KVM_GET_REGS(), 8)).isEqualTo(Errno.EFAULT.negated());
    assertThat(kvm.kernel.ioctl(vcpu, 0x1234, 0)).isEqualTo(EINVAL);
    assertThat(kvm.kernel.ioctl(vm, 0xaeff, 0)).isEqualTo(Errno.ENOTTY.negated());
    assertThat(kvm.kernel.ioctl(kvm.kvm, 0xaeff, 0)).isEqualTo(EINVAL);
    assertThat(kvm.createVcpu(vm, 4096)).isEqualTo(EINVAL);
    assertThat(kvm.createVcpu(vm, -1)).isEqualTo(EINVAL);
    assertThat(kvm.createVm(32)).isEqualTo(EINVAL);
  }

  @Test
  void immediateExitFinishesWhatWasAnsweredAndRunsNothing() {
    // in al, 0x10; mov [0x1800], al; hlt
    MachineCode.put(memory, 0xe4, 0x10, 0xa2, 0x00, 0x18, 0xf4);
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 in 0x10 1");
    run.set(ValueLayout.JAVA_BYTE, PAGE, (byte) 0x77);
    kvm_run.immediate_exit(run, (byte) 1);
    assertThat(kvm.enter(vcpu)).isEqualTo(Errno.EINTR.negated());
    assertThat(memory.get(ValueLayout.JAVA_BYTE, 0x800)).isZero();
    kvm_run.immediate_exit(run, (byte) 0);
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 reason 5");
    assertThat(memory.get(ValueLayout.JAVA_BYTE, 0x800)).isEqualTo((byte) 0x77);
  }

  /** arch/x86/kvm/emulate.c:em_out, which OUTS uses, too, one element for each exit. */
  @Test
  void aStringLeavesTheGuestElementByElement() {
    // mov cx, 2; mov dx, 0x30; mov si, 0x1800; rep outsb; hlt
    MachineCode.put(memory, 0xb9, 0x02, 0x00, 0xba, 0x30, 0x00, 0xbe, 0x00, 0x18, 0xf3, 0x6e, 0xf4);
    memory.set(ValueLayout.JAVA_BYTE, 0x800, (byte) 0x41);
    memory.set(ValueLayout.JAVA_BYTE, 0x801, (byte) 0x42);
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 out 0x30 1");
    assertThat(run.get(ValueLayout.JAVA_BYTE, PAGE)).isEqualTo((byte) 0x41);
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 out 0x30 1");
    assertThat(run.get(ValueLayout.JAVA_BYTE, PAGE)).isEqualTo((byte) 0x42);
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 reason 5");
  }

  @Test
  void memoryWhoseFileWasCutOffIsAFaultWithoutExplanation() {
    // mov al, [0x3000]; hlt
    MachineCode.put(memory, 0xa0, 0x00, 0x30, 0xf4);
    int file = kvm.kernel.memfdCreate("cut", 0);
    assertThat(kvm.kernel.ftruncate(file, PAGE)).isZero();
    long mapped = kvm.kernel.mmap(0, PAGE, Libc.PROT_READ(), Libc.MAP_SHARED(), file, 0);
    assertThat(kvm.region(vm, 1, 0, 0x3000, PAGE, mapped)).isZero();
    assertThat(kvm.kernel.ftruncate(file, 0)).isZero();
    assertThat(kvm.enter(vcpu, run)).isEqualTo("-14 reason 0");
    assertThat(kvm.kernel.ftruncate(file, PAGE)).isZero();
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 reason 5");
  }

  @Test
  void memoryThatTheProcessMayNotWriteIsNotWrittenByItsGuest() {
    // mov [0x3000], al; hlt
    MachineCode.put(memory, 0xa2, 0x00, 0x30, 0xf4);
    long constant =
        kvm.kernel.mmap(0, PAGE, Libc.PROT_READ(), Libc.MAP_SHARED() | Libc.MAP_ANONYMOUS(), -1, 0);
    assertThat(kvm.region(vm, 1, 0, 0x3000, PAGE, constant)).isZero();
    assertThat(kvm.enter(vcpu, run)).isEqualTo("-14 reason 0");
  }

  @Test
  void codeWhereThereIsNoMemoryIsAnInternalError() {
    MachineCode.begin(kvm, vcpu, 0x9000);
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 reason " + Kvm.KVM_EXIT_INTERNAL_ERROR());
  }

  @Test
  void theVmLivesAsLongAsItsVcpus() {
    MachineCode.put(memory, 0xf4);
    assertThat(kvm.kernel.close(vm)).isZero();
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 reason 5");
  }

  @Test
  void aRunningGuestKeepsNobodyOutAndASecondCallOnItsVcpuWaits() throws Exception {
    // jmp to itself
    MachineCode.put(memory, 0xeb, 0xfe);
    CompletableFuture<Integer> tid = new CompletableFuture<>();
    CompletableFuture<Integer> result = new CompletableFuture<>();
    Thread guest =
        Thread.ofPlatform()
            .start(() -> {
              tid.complete(kvm.kernel.interruptible());
              result.complete(kvm.enter(vcpu));
            });
    int id = tid.get(60, TimeUnit.SECONDS);
    assertThat(kvm.createVcpu(vm, 1)).isPositive();
    while (!result.isDone()) {
      assertThat(kvm.kernel.interrupt(id)).isBetween(Errno.ESRCH.negated(), 0);
    }
    guest.join();
    assertThat(result.get()).isEqualTo(Errno.EINTR.negated());
    assertThat(kvm_run.exit_reason(run)).isEqualTo(Kvm.KVM_EXIT_INTR());
  }

  /** virt/kvm/kvm_main.c:kvm_sigset_activate. */
  @Test
  void aSignalThatTheVcpuBlocksDoesNotEndItsRun() throws Exception {
    MemorySegment mask = kvm.allocate(kvm_signal_mask.sizeof() + Long.BYTES);
    kvm_signal_mask.len(mask, Long.BYTES);
    mask.set(ValueLayout.JAVA_LONG_UNALIGNED, kvm_signal_mask.sizeof(), -1);
    assertThat(kvm.call(vcpu, Kvm.KVM_SET_SIGNAL_MASK(), mask)).isZero();
    assertThat(untilItIsTold()).isEqualTo("0 out 0x11 1");
    assertThat(kvm.kernel.ioctl(vcpu, Kvm.KVM_SET_SIGNAL_MASK(), 0)).isZero();
    assertThat(untilItIsTold()).isEqualTo(Errno.EINTR.negated() + " reason 10");
  }

  /**
   * How a run ends that is first sent a signal, after the guest has said that it runs, and then
   * told to leave.
   */
  private String untilItIsTold() throws Exception {
    // out 0x10, al; again: mov al, [0x1800]; test al, al; jz again; out 0x11, al
    MachineCode.put(memory, 0xe6, 0x10, 0xa0, 0x00, 0x18, 0x84, 0xc0, 0x74, 0xf9, 0xe6, 0x11);
    memory.set(ValueLayout.JAVA_BYTE, 0x800, (byte) 0);
    MachineCode.begin(kvm, vcpu, GPA);
    int running = kvm.kernel.eventfd(0, 0);
    int assign = 1 << Kvm.kvm_ioeventfd_flag_nr_pio();
    assertThat(ioeventfd(0x10, 1, running, assign)).isZero();
    CompletableFuture<Integer> tid = new CompletableFuture<>();
    CompletableFuture<String> result = new CompletableFuture<>();
    Thread guest =
        Thread.ofPlatform()
            .start(() -> {
              tid.complete(kvm.kernel.interruptible());
              result.complete(kvm.enter(vcpu, run));
            });
    assertThat(kvm.kernel.read(running, kvm.allocate(8).address(), 8)).isEqualTo(8);
    assertThat(kvm.kernel.interrupt(tid.get())).isZero();
    memory.set(ValueLayout.JAVA_BYTE, 0x800, (byte) 1);
    guest.join();
    int deassign = assign | 1 << Kvm.kvm_ioeventfd_flag_nr_deassign();
    assertThat(ioeventfd(0x10, 1, running, deassign)).isZero();
    return result.get();
  }

  @Test
  void anEventfdTakesAWriteThatWouldLeaveTheGuest() {
    // out 0x10, al; mov [0x9000], al; hlt
    MachineCode.put(memory, 0xe6, 0x10, 0xa2, 0x00, 0x90, 0xf4);
    int eventfd = kvm.kernel.eventfd(0, 0);
    assertThat(ioeventfd(0x10, 1, eventfd, 1 << Kvm.kvm_ioeventfd_flag_nr_pio())).isZero();
    assertThat(ioeventfd(0x10, 1, eventfd, 1 << Kvm.kvm_ioeventfd_flag_nr_pio()))
        .isEqualTo(Errno.EEXIST.negated());
    assertThat(ioeventfd(0x9000, 3, eventfd, 0)).isEqualTo(EINVAL);
    assertThat(ioeventfd(0x9000, 1, vm, 0)).isEqualTo(EINVAL);
    assertThat(ioeventfd(0x9000, 1, eventfd, 0)).isZero();
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 reason 5");
    MemorySegment count = kvm.allocate(8);
    assertThat(kvm.kernel.read(eventfd, count.address(), 8)).isEqualTo(8);
    assertThat(count.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(2);
    int deassign = 1 << Kvm.kvm_ioeventfd_flag_nr_deassign();
    assertThat(ioeventfd(0x9000, 1, eventfd, deassign)).isZero();
    assertThat(ioeventfd(0x9000, 1, eventfd, deassign)).isEqualTo(Errno.ENOENT.negated());
  }

  private int ioeventfd(long address, int length, int fd, int flags) {
    MemorySegment argument = kvm.allocate(kvm_ioeventfd.sizeof());
    kvm_ioeventfd.addr(argument, address);
    kvm_ioeventfd.len(argument, length);
    kvm_ioeventfd.fd(argument, fd);
    kvm_ioeventfd.flags(argument, flags);
    return kvm.call(vm, Kvm.KVM_IOEVENTFD(), argument);
  }

  @Test
  void preFaultGoesAsFarAsThereIsMemory() {
    assertThat(preFault(GPA, PAGE, 1)).isEqualTo("-22 0x1000 0x1000");
    assertThat(preFault(GPA + 1, PAGE, 0)).isEqualTo("-22 0x1001 0x1000");
    assertThat(preFault(GPA, 0, 0)).isEqualTo("-22 0x1000 0x0");
    assertThat(preFault(0x9000, PAGE, 0)).isEqualTo("-2 0x9000 0x1000");
    assertThat(preFault(GPA, 2 * PAGE, 0)).isEqualTo("0 0x3000 0x0");
    assertThat(preFault(GPA, 4 * PAGE, 0)).isEqualTo("0 0x3000 0x2000");
  }

  private String preFault(long gpa, long bytes, long flags) {
    MemorySegment range = kvm.allocate(kvm_pre_fault_memory.sizeof());
    kvm_pre_fault_memory.gpa(range, gpa);
    kvm_pre_fault_memory.size(range, bytes);
    kvm_pre_fault_memory.flags(range, flags);
    int result = kvm.call(vcpu, Kvm.KVM_PRE_FAULT_MEMORY(), range);
    return "%d 0x%x 0x%x"
        .formatted(result, kvm_pre_fault_memory.gpa(range), kvm_pre_fault_memory.size(range));
  }

  @Test
  void theDirtyLogShowsAPageOnceForEachTimeItIsMappedOrWritten() {
    // mov [0x2000], al; hlt; jmp to the beginning
    MachineCode.put(memory, 0xa2, 0x00, 0x20, 0xf4, 0xeb, 0xfa);
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 reason 5");
    // The page with the code was mapped, writable, and so counts as written.
    assertThat(dirtyLog(0)).isEqualTo("0 0b11");
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 reason 5");
    assertThat(dirtyLog(0)).isEqualTo("0 0b10");
    assertThat(dirtyLog(0)).isEqualTo("0 0b0");
    assertThat(dirtyLog(1)).isEqualTo("-2 0b0");
    assertThat(dirtyLog(2 << 16)).isEqualTo("-22 0b0");
  }

  private String dirtyLog(int slot) {
    MemorySegment bitmap = kvm.allocate(8);
    MemorySegment log = kvm.allocate(kvm_dirty_log.sizeof());
    kvm_dirty_log.slot(log, slot);
    kvm_dirty_log.dirty_bitmap(log, bitmap);
    int result = kvm.call(vm, Kvm.KVM_GET_DIRTY_LOG(), log);
    return result + " 0b" + Long.toBinaryString(bitmap.get(ValueLayout.JAVA_LONG, 0));
  }
}
