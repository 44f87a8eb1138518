package dev.iolite.contract;

import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_VCPU;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_REGS;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_SREGS;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_VCPU_MMAP_SIZE;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_IOEVENTFD;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_PRE_FAULT_MEMORY;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_RUN;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_REGS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_ioeventfd;
import dev.iolite.uapi.kvm.kvm_pre_fault_memory;
import dev.iolite.uapi.kvm.kvm_regs;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.kvm.kvm_segment;
import dev.iolite.uapi.kvm.kvm_sregs;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** Virtual processors: made, run in real mode, and why they come out. */
abstract class KvmVcpuContract extends KvmContract {
  private static final long DATA = 0x2000;

  KvmVcpuContract(Backend backend) {
    super(backend);
  }

  /** A vCPU of a VM that is about to run this 16-bit code, and has no other memory. */
  private Guest guest(int vm, int... code) {
    int vcpu = vcpuWithCode(vm, code);
    return new Guest(vm, vcpu, stateOf(vcpu));
  }

  private final class Guest {
    final int vm;
    final int vcpu;
    final MemorySegment run;

    Guest(int vm, int vcpu, MemorySegment run) {
      this.vm = vm;
      this.vcpu = vcpu;
      this.run = run;
    }

    int enter() {
      return ioctl(vcpu, KVM_RUN, 0);
    }

    /** Runs until the vCPU comes out with this reason. */
    void comesOutFor(int reason) {
      succeeds(enter());
      assertThat(kvm_run.exit_reason(run)).isEqualTo(reason);
    }

    void faultsInPrivate(long gpa) {
      fails(Errno.EFAULT, enter());
      assertThat(kvm_run.exit_reason(run)).isEqualTo(Kvm.KVM_EXIT_MEMORY_FAULT());
      MemorySegment fault = kvm_run.memory_fault(run);
      assertThat(kvm_run.memory_fault.flags(fault)).isEqualTo(Kvm.KVM_MEMORY_EXIT_FLAG_PRIVATE());
      assertThat(kvm_run.memory_fault.gpa(fault)).isEqualTo(gpa);
      assertThat(kvm_run.memory_fault.size(fault)).isEqualTo(PAGE);
    }

    void comesOutFor(MemorySegment mmio, long gpa, int bytes, boolean write) {
      assertThat(kvm_run.mmio.phys_addr(mmio)).isEqualTo(gpa);
      assertThat(kvm_run.mmio.len(mmio)).isEqualTo(bytes);
      assertThat(kvm_run.mmio.is_write(mmio)).isEqualTo((byte) (write ? 1 : 0));
    }
  }

  @Test
  void aVcpuHasAnIdOfItsOwn() {
    // kvm_main.c:kvm_vm_ioctl_create_vcpu
    int vm = vm();
    vcpu(vm);
    fails(Errno.EEXIST, ioctl(vm, KVM_CREATE_VCPU, 0));
    keep(ioctl(vm, KVM_CREATE_VCPU, 1));
  }

  @Test
  void anIdBeyondTheLastIsInvalid() {
    // kvm_main.c:kvm_vm_ioctl_create_vcpu
    int vm = vm();
    fails(Errno.EINVAL, ioctl(vm, KVM_CREATE_VCPU, 1 << 20));
    fails(Errno.EINVAL, ioctl(vm, KVM_CREATE_VCPU, -1L));
  }

  @Test
  void theStateOfAVcpuIsMapped() {
    // kvm_main.c:kvm_vcpu_mmap
    int vcpu = vcpu(vm());
    assertThat(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0)).isEqualTo((int) STATE);
    assertThat(kvm_run.immediate_exit(stateOf(vcpu))).isZero();
  }

  @Test
  void anUnknownCommandIsInvalidOfAVcpu() {
    // x86.c:kvm_arch_vcpu_ioctl; kvm_main.c:kvm_vcpu_ioctl for another type
    int vcpu = vcpu(vm());
    fails(Errno.EINVAL, kernel.ioctl(vcpu, 0xaeff, 0));
    fails(Errno.EINVAL, kernel.ioctl(vcpu, 0x3bff, 0));
  }

  @Test
  void runTakesNoArgument() {
    // kvm_main.c:kvm_vcpu_ioctl
    fails(Errno.EINVAL, ioctl(vcpu(vm()), KVM_RUN, 1));
  }

  @Test
  void registersAreReadAsTheyWereWritten() {
    // x86.c:kvm_arch_vcpu_ioctl_get_regs
    int vcpu = vcpu(vm());
    MemorySegment regs = struct(kvm_regs.layout());
    kvm_regs.rax(regs, 0x1234);
    kvm_regs.rip(regs, 0x5678);
    kvm_regs.rflags(regs, 0);
    succeeds(ioctl(vcpu, KVM_SET_REGS, regs));
    MemorySegment read = struct(kvm_regs.layout());
    succeeds(ioctl(vcpu, KVM_GET_REGS, read));
    assertThat(kvm_regs.rax(read)).isEqualTo(0x1234);
    assertThat(kvm_regs.rip(read)).isEqualTo(0x5678);
    assertThat(kvm_regs.rflags(read)).as("bit 1 is always set").isEqualTo(2);
    fails(Errno.EFAULT, ioctl(vcpu, KVM_GET_REGS, NOWHERE));
    fails(Errno.EFAULT, ioctl(vcpu, KVM_SET_REGS, NOWHERE));
  }

  @Test
  void aVcpuStartsAsAProcessorAfterReset() {
    // x86.c:kvm_vcpu_reset
    int vcpu = vcpu(vm());
    MemorySegment regs = struct(kvm_regs.layout());
    succeeds(ioctl(vcpu, KVM_GET_REGS, regs));
    assertThat(kvm_regs.rip(regs)).isEqualTo(0xfff0);
    MemorySegment sregs = struct(kvm_sregs.layout());
    succeeds(ioctl(vcpu, KVM_GET_SREGS, sregs));
    assertThat(kvm_segment.base(kvm_sregs.cs(sregs))).isEqualTo(0xffff_0000L);
    assertThat(kvm_segment.selector(kvm_sregs.cs(sregs))).isEqualTo((short) 0xf000);
    assertThat(kvm_sregs.cr0(sregs)).isEqualTo(0x6000_0010L);
  }

  @Test
  void hltComesOut() {
    // x86.c:kvm_emulate_halt without an interrupt controller
    guest(vm(), 0xf4).comesOutFor(Kvm.KVM_EXIT_HLT());
  }

  @Test
  void aByteWrittenToAPortComesOut() {
    // x86.c:emulator_pio_out_emulated: mov al, 0x5a; out 0x10, al
    Guest guest = guest(vm(), 0xb0, 0x5a, 0xe6, 0x10, 0xf4);
    guest.comesOutFor(Kvm.KVM_EXIT_IO());
    MemorySegment io = kvm_run.io(guest.run);
    assertThat(kvm_run.io.direction(io)).isEqualTo((byte) Kvm.KVM_EXIT_IO_OUT());
    assertThat(kvm_run.io.port(io)).isEqualTo((short) 0x10);
    assertThat(kvm_run.io.size(io)).isEqualTo((byte) 1);
    assertThat(kvm_run.io.count(io)).isEqualTo(1);
    assertThat(guest.run.get(ValueLayout.JAVA_BYTE, kvm_run.io.data_offset(io)))
        .isEqualTo((byte) 0x5a);
    guest.comesOutFor(Kvm.KVM_EXIT_HLT());
  }

  @Test
  void aPortIsReadFromWhatIsLeftInTheState() {
    // x86.c:complete_fast_pio_in: in ax, 0x10; out 0x11, ax
    Guest guest = guest(vm(), 0xe5, 0x10, 0xe7, 0x11, 0xf4);
    guest.comesOutFor(Kvm.KVM_EXIT_IO());
    MemorySegment io = kvm_run.io(guest.run);
    assertThat(kvm_run.io.direction(io)).isEqualTo((byte) Kvm.KVM_EXIT_IO_IN());
    assertThat(kvm_run.io.size(io)).isEqualTo((byte) 2);
    guest.run.set(ValueLayout.JAVA_SHORT, kvm_run.io.data_offset(io), (short) 0x7788);
    guest.comesOutFor(Kvm.KVM_EXIT_IO());
    assertThat(guest.run.get(ValueLayout.JAVA_SHORT, kvm_run.io.data_offset(io)))
        .isEqualTo((short) 0x7788);
  }

  @Test
  void aReadWhereNoSlotIsIsMmio() {
    // x86.c:emulator_read_write: mov al, [0x2000]; out 0x10, al
    Guest guest = guest(vm(), 0xa0, 0x00, 0x20, 0xe6, 0x10, 0xf4);
    guest.comesOutFor(Kvm.KVM_EXIT_MMIO());
    MemorySegment mmio = kvm_run.mmio(guest.run);
    guest.comesOutFor(mmio, DATA, 1, false);
    kvm_run.mmio.data(mmio, 0, (byte) 0x66);
    guest.comesOutFor(Kvm.KVM_EXIT_IO());
    long data = kvm_run.io.data_offset(kvm_run.io(guest.run));
    assertThat(guest.run.get(ValueLayout.JAVA_BYTE, data)).isEqualTo((byte) 0x66);
  }

  @Test
  void aWriteWhereNoSlotIsIsMmio() {
    // x86.c:emulator_read_write: mov al, 0x5a; mov [0x2000], al
    Guest guest = guest(vm(), 0xb0, 0x5a, 0xa2, 0x00, 0x20, 0xf4);
    guest.comesOutFor(Kvm.KVM_EXIT_MMIO());
    MemorySegment mmio = kvm_run.mmio(guest.run);
    guest.comesOutFor(mmio, DATA, 1, true);
    assertThat(kvm_run.mmio.data(mmio, 0)).isEqualTo((byte) 0x5a);
    guest.comesOutFor(Kvm.KVM_EXIT_HLT());
  }

  @Test
  void aSlotIsMemory() {
    // mmu.c: mov al, 0x5a; mov [0x2000], al; hlt
    Guest guest = guest(vm(), 0xb0, 0x5a, 0xa2, 0x00, 0x20, 0xf4);
    long ram = ram(PAGE);
    succeeds(set(guest.vm, 1, 0, DATA, PAGE, ram));
    guest.comesOutFor(Kvm.KVM_EXIT_HLT());
    assertThat(at(ram, PAGE).get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 0x5a);
  }

  @Test
  void aReadOnlySlotIsReadAndAWriteToItIsMmio() {
    // mmu.c:kvm_mmu_faultin_pfn; KVM_MEM_READONLY
    Guest guest = guest(vm(), 0xb0, 0x5a, 0xa2, 0x00, 0x20, 0xf4);
    long ram = ram(PAGE);
    succeeds(set(guest.vm, 1, READONLY, DATA, PAGE, ram));
    guest.comesOutFor(Kvm.KVM_EXIT_MMIO());
    guest.comesOutFor(kvm_run.mmio(guest.run), DATA, 1, true);
    assertThat(at(ram, PAGE).get(ValueLayout.JAVA_BYTE, 0)).isZero();
  }

  @Test
  void memoryThatIsNotThereIsAFaultOfTheRun() {
    // mmu.c:kvm_handle_error_pfn: without a word of why
    assumeTrue(
        backend.runsRealMode(),
        () -> "the processor of " + backend.name() + " may have to be emulated; this is MMIO then");
    Guest guest = guest(vm(), 0xa0, 0x00, 0x20, 0xf4);
    succeeds(set(guest.vm, 1, 0, DATA, PAGE, NOWHERE));
    fails(Errno.EFAULT, guest.enter());
    assertThat(kvm_run.exit_reason(guest.run)).isEqualTo(Kvm.KVM_EXIT_UNKNOWN());
  }

  @Test
  void anImmediateExitIsAnInterruptedRun() {
    // x86.c:kvm_arch_vcpu_ioctl_run
    Guest guest = guest(vm(), 0xf4);
    kvm_run.immediate_exit(guest.run, (byte) 1);
    fails(Errno.EINTR, guest.enter());
    assertThat(kvm_run.exit_reason(guest.run)).isEqualTo(Kvm.KVM_EXIT_UNKNOWN());
    kvm_run.immediate_exit(guest.run, (byte) 0);
    guest.comesOutFor(Kvm.KVM_EXIT_HLT());
  }

  @Test
  void aPrivatePageWithoutAGuestMemfdFaults() {
    // mmu.c:kvm_mmu_faultin_pfn_gmem: no gmem in the slot
    Guest guest = guest(protectedVm(), 0xa0, 0x00, 0x20, 0xf4);
    succeeds(set(guest.vm, 1, 0, DATA, PAGE, ram(PAGE)));
    succeeds(setAttributes(guest.vm, DATA, PAGE, PRIVATE));
    guest.faultsInPrivate(DATA);
    guest.faultsInPrivate(DATA);
    succeeds(setAttributes(guest.vm, DATA, PAGE, 0));
    guest.comesOutFor(Kvm.KVM_EXIT_HLT());
  }

  @Test
  void aPrivatePageIsInTheGuestMemfd() {
    // guest_memfd.c:kvm_gmem_get_pfn: mov al, 0x5a; mov [0x2000], al; hlt
    Guest guest = guest(protectedVm(), 0xb0, 0x5a, 0xa2, 0x00, 0x20, 0xf4);
    int gmem = guestMemfd(guest.vm, PAGE);
    long shared = ram(PAGE);
    succeeds(setPrivate(guest.vm, 1, DATA, PAGE, shared, gmem, 0));
    succeeds(setAttributes(guest.vm, DATA, PAGE, PRIVATE));
    guest.comesOutFor(Kvm.KVM_EXIT_HLT());
    assertThat(at(shared, PAGE).get(ValueLayout.JAVA_BYTE, 0)).isZero();
  }

  @Test
  void aSharedPageOfAPrivateSlotIsTheProcesss() {
    // mmu.c:kvm_mmu_faultin_pfn: mov al, 0x5a; mov [0x2000], al; hlt
    Guest guest = guest(protectedVm(), 0xb0, 0x5a, 0xa2, 0x00, 0x20, 0xf4);
    int gmem = guestMemfd(guest.vm, PAGE);
    long shared = ram(PAGE);
    succeeds(setPrivate(guest.vm, 1, DATA, PAGE, shared, gmem, 0));
    guest.comesOutFor(Kvm.KVM_EXIT_HLT());
    assertThat(at(shared, PAGE).get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 0x5a);
  }

  @Test
  void aPrivatePageWhereNoSlotIsFaults() {
    // mmu.c:kvm_mmu_faultin_pfn: private access to no slot
    Guest guest = guest(protectedVm(), 0xa0, 0x00, 0x20, 0xf4);
    succeeds(setAttributes(guest.vm, DATA, PAGE, PRIVATE));
    guest.faultsInPrivate(DATA);
  }

  @Test
  void aGuestMemfdThatWasClosedIsAFaultOfTheRun() {
    // guest_memfd.c:kvm_gmem_get_file finds none
    Guest guest = guest(protectedVm(), 0xa0, 0x00, 0x20, 0xf4);
    int gmem = guestMemfd(guest.vm, PAGE);
    succeeds(setPrivate(guest.vm, 1, DATA, PAGE, ram(PAGE), gmem, 0));
    succeeds(setAttributes(guest.vm, DATA, PAGE, PRIVATE));
    close(gmem);
    guest.faultsInPrivate(DATA);
  }

  @Test
  void anIoeventfdTakesAPortWriteFromTheProcess() {
    // eventfd.c:ioeventfd_write: mov al, 0x5a; out 0x10, al; hlt
    Guest guest = guest(vm(), 0xb0, 0x5a, 0xe6, 0x10, 0xf4);
    int event = eventfd();
    MemorySegment ioevent = struct(kvm_ioeventfd.layout());
    kvm_ioeventfd.addr(ioevent, 0x10);
    kvm_ioeventfd.len(ioevent, 1);
    kvm_ioeventfd.fd(ioevent, event);
    // KVM_IOEVENTFD_FLAG_PIO
    kvm_ioeventfd.flags(ioevent, 1 << 1);
    succeeds(ioctl(guest.vm, KVM_IOEVENTFD, ioevent));
    guest.comesOutFor(Kvm.KVM_EXIT_HLT());
    assertThat(signals(event)).isEqualTo(1);
  }

  @Test
  void anIoeventfdTakesAMemoryWriteFromTheProcess() {
    // eventfd.c:ioeventfd_write: mov al, 0x5a; mov [0x2000], al; hlt
    Guest guest = guest(vm(), 0xb0, 0x5a, 0xa2, 0x00, 0x20, 0xf4);
    int event = eventfd();
    MemorySegment ioevent = struct(kvm_ioeventfd.layout());
    kvm_ioeventfd.addr(ioevent, DATA);
    kvm_ioeventfd.len(ioevent, 1);
    kvm_ioeventfd.fd(ioevent, event);
    succeeds(ioctl(guest.vm, KVM_IOEVENTFD, ioevent));
    guest.comesOutFor(Kvm.KVM_EXIT_HLT());
    assertThat(signals(event)).isEqualTo(1);
  }

  private int preFault(int vcpu, long gpa, long bytes, long flags) {
    return ioctl(vcpu, KVM_PRE_FAULT_MEMORY, preFaultOf(gpa, bytes, flags));
  }

  private MemorySegment preFaultOf(long gpa, long bytes, long flags) {
    MemorySegment range = struct(kvm_pre_fault_memory.layout());
    kvm_pre_fault_memory.gpa(range, gpa);
    kvm_pre_fault_memory.size(range, bytes);
    kvm_pre_fault_memory.flags(range, flags);
    return range;
  }

  private Guest guestToPreFault(int vm, int... code) {
    assumeTrue(
        check(kvm, Kvm.KVM_CAP_PRE_FAULT_MEMORY()) != 0,
        () -> backend.name() + " does not fault memory in beforehand");
    return guest(vm, code);
  }

  @Test
  void preFaultingGoesOnToTheEndOfTheSlot() {
    // kvm_main.c:kvm_vcpu_pre_fault_memory: what was done is told
    Guest guest = guestToPreFault(vm(), 0xf4);
    MemorySegment range = preFaultOf(CODE, 2 * PAGE, 0);
    succeeds(ioctl(guest.vcpu, KVM_PRE_FAULT_MEMORY, range));
    assertThat(kvm_pre_fault_memory.gpa(range)).isEqualTo(CODE + PAGE);
    assertThat(kvm_pre_fault_memory.size(range)).isEqualTo(PAGE);
    fails(Errno.ENOENT, ioctl(guest.vcpu, KVM_PRE_FAULT_MEMORY, range));
  }

  @Test
  void preFaultingASlotIsDoneWhole() {
    // kvm_main.c:kvm_vcpu_pre_fault_memory
    Guest guest = guestToPreFault(vm(), 0xf4);
    MemorySegment range = preFaultOf(CODE, PAGE, 0);
    succeeds(ioctl(guest.vcpu, KVM_PRE_FAULT_MEMORY, range));
    assertThat(kvm_pre_fault_memory.size(range)).isZero();
  }

  @Test
  void preFaultingChecksItsArgument() {
    // kvm_main.c:kvm_vcpu_pre_fault_memory
    Guest guest = guestToPreFault(vm(), 0xf4);
    fails(Errno.EINVAL, preFault(guest.vcpu, CODE, PAGE, 1));
    fails(Errno.EINVAL, preFault(guest.vcpu, CODE + 1, PAGE, 0));
    fails(Errno.EINVAL, preFault(guest.vcpu, CODE, 0x800, 0));
    fails(Errno.EINVAL, preFault(guest.vcpu, CODE, 0, 0));
    fails(Errno.EINVAL, preFault(guest.vcpu, -PAGE, 2 * PAGE, 0));
    fails(Errno.EFAULT, ioctl(guest.vcpu, KVM_PRE_FAULT_MEMORY, NOWHERE));
  }

  @Test
  void preFaultingWhereNoSlotIsFindsNoEntry() {
    // mmu.c:kvm_tdp_map_page: it would be emulated
    Guest guest = guestToPreFault(vm(), 0xf4);
    fails(Errno.ENOENT, preFault(guest.vcpu, DATA, PAGE, 0));
  }

  @Test
  void aVcpuLivesWithoutItsVmsDescriptor() {
    // kvm_main.c:create_vcpu_fd: kvm_get_kvm
    Guest guest = guest(vm(), 0xf4);
    close(guest.vm);
    guest.comesOutFor(Kvm.KVM_EXIT_HLT());
  }
}
