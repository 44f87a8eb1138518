package dev.iolite.contract;

import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_VCPU;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_RUN;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_MEMORY_ATTRIBUTES;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_USER_MEMORY_REGION2;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_memory_attributes;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region2;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.BeforeEach;

/** A guest of the VM that the interface is for. */
abstract class TdiGuestContract extends SeedContract {
  private static final long RAM_BYTES = 2 * PAGE;
  private static final long CODE = 0x1000;
  private static final long STATE = 3 * PAGE;
  static final int PORT = 0x3f8;
  static final long PRIVATE_FAULT = Kvm.KVM_MEMORY_EXIT_FLAG_PRIVATE();
  static final int WORD = 0x5a5a_1234;

  private long ram;
  int vcpu = NO_FD;
  MemorySegment run = MemorySegment.NULL;

  TdiGuestContract(Backend backend, int opCall, int requestCall) {
    super(backend, Backend.IVSHMEM, opCall, requestCall);
  }

  @BeforeEach
  final void makeGuest() {
    ram = ram(RAM_BYTES);
    MemorySegment region = struct(kvm_userspace_memory_region2.layout());
    kvm_userspace_memory_region2.memory_size(region, RAM_BYTES);
    kvm_userspace_memory_region2.userspace_addr(region, ram);
    succeeds(ioctl(vm, KVM_SET_USER_MEMORY_REGION2, region));
    vcpu = keep(ioctl(vm, KVM_CREATE_VCPU, 0));
    int readWrite = Libc.PROT_READ() | Libc.PROT_WRITE();
    run = at(mapped(mmap(vcpu, STATE, readWrite, Libc.MAP_SHARED(), 0), STATE), STATE);
    write(device, MEMORY_BAR, 0, 4, WORD);
    write(device, MEMORY_BAR, 2 * PAGE, 4, ~WORD);
  }

  /** Runs 16-bit code from its start, with data segments of 4 GiB; the result of the call. */
  final int runs(int... code) {
    for (int i = 0; i < code.length; i++) {
      at(ram + CODE, PAGE).set(ValueLayout.JAVA_BYTE, i, (byte) code[i]);
    }
    enterRealMode(vcpu, CODE);
    kvm_run.exit_reason(run, 0);
    return ioctl(vcpu, KVM_RUN, 0);
  }

  /** mov eax, [gpa]; mov dx, PORT; out dx, eax. */
  final int reads(long gpa) {
    int at = (int) gpa;
    return runs(
        0x67, 0x66, 0xa1, at, at >> 8, at >> 16, at >> 24, 0xba, PORT, PORT >> 8, 0x66, 0xef);
  }

  final void reads(long gpa, int word) {
    succeeds(reads(gpa));
    assertThat(output()).isEqualTo(word);
  }

  final int output() {
    assertThat(kvm_run.exit_reason(run)).isEqualTo(Kvm.KVM_EXIT_IO());
    return run.get(ValueLayout.JAVA_INT, kvm_run.io.data_offset(kvm_run.io(run)));
  }

  final void faults(Errno errno, long gpa, long flags) {
    fails(errno, reads(gpa));
    assertThat(kvm_run.exit_reason(run)).isEqualTo(Kvm.KVM_EXIT_MEMORY_FAULT());
    MemorySegment fault = kvm_run.memory_fault(run);
    assertThat(kvm_run.memory_fault.flags(fault)).isEqualTo(flags);
    assertThat(kvm_run.memory_fault.gpa(fault)).isEqualTo(gpa);
  }

  final void setPrivate(long gpa, long bytes, boolean isPrivate) {
    MemorySegment set = struct(kvm_memory_attributes.layout());
    kvm_memory_attributes.address(set, gpa);
    kvm_memory_attributes.size(set, bytes);
    kvm_memory_attributes.attributes(set, isPrivate ? Kvm.KVM_MEMORY_ATTRIBUTE_PRIVATE() : 0);
    succeeds(ioctl(vm, KVM_SET_MEMORY_ATTRIBUTES, set));
  }

  /** Reads where there is nothing; the access is not completed. */
  final void readsMmio(long gpa) {
    succeeds(reads(gpa));
    assertThat(kvm_run.exit_reason(run)).isEqualTo(Kvm.KVM_EXIT_MMIO());
    assertThat(kvm_run.mmio.phys_addr(kvm_run.mmio(run))).isEqualTo(gpa);
    kvm_run.immediate_exit(run, (byte) 1);
    fails(Errno.EINTR, ioctl(vcpu, KVM_RUN, 0));
    kvm_run.immediate_exit(run, (byte) 0);
  }
}
