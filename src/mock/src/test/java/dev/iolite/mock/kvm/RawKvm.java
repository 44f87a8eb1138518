package dev.iolite.mock.kvm;

import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Page;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_create_guest_memfd;
import dev.iolite.uapi.kvm.kvm_enable_cap;
import dev.iolite.uapi.kvm.kvm_memory_attributes;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region2;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** KVM's calls with nothing in between, so that wrong ones can be made. */
final class RawKvm {
  static final long PAGE = Page.BYTES;

  final Kernel kernel;
  final int kvm;
  private final Arena arena = Arena.ofAuto();

  RawKvm(Kernel kernel) {
    this.kernel = kernel;
    kvm = kernel.open("/dev/kvm", Libc.O_RDWR());
  }

  int createVm(int type) {
    return kernel.ioctl(kvm, Kvm.KVM_CREATE_VM(), type);
  }

  int call(int fd, long request, MemorySegment argument) {
    return kernel.ioctl(fd, request, argument.address());
  }

  MemorySegment allocate(long bytes) {
    return arena.allocate(bytes, Long.BYTES);
  }

  long memory(long bytes) {
    return kernel.mmap(
        0,
        bytes,
        Libc.PROT_READ() | Libc.PROT_WRITE(),
        Libc.MAP_SHARED() | Libc.MAP_ANONYMOUS(),
        -1,
        0);
  }

  MemorySegment memoryAt(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  int region(int vm, int slot, long flags, long gpa, long bytes, long hostAddress) {
    return region(vm, slot, flags, gpa, bytes, hostAddress, 0, 0);
  }

  int region(
      int vm, int slot, long flags, long gpa, long bytes, long hostAddress, int fd, long offset) {
    MemorySegment region = allocate(kvm_userspace_memory_region2.sizeof());
    kvm_userspace_memory_region2.slot(region, slot);
    kvm_userspace_memory_region2.flags(region, (int) flags);
    kvm_userspace_memory_region2.guest_phys_addr(region, gpa);
    kvm_userspace_memory_region2.memory_size(region, bytes);
    kvm_userspace_memory_region2.userspace_addr(region, hostAddress);
    kvm_userspace_memory_region2.guest_memfd(region, fd);
    kvm_userspace_memory_region2.guest_memfd_offset(region, offset);
    return call(vm, Kvm.KVM_SET_USER_MEMORY_REGION2(), region);
  }

  int guestMemfd(int vm, long bytes, long flags) {
    MemorySegment file = allocate(kvm_create_guest_memfd.sizeof());
    kvm_create_guest_memfd.size(file, bytes);
    kvm_create_guest_memfd.flags(file, flags);
    return call(vm, Kvm.KVM_CREATE_GUEST_MEMFD(), file);
  }

  int attributes(int vm, long gpa, long bytes, long attributes, long flags) {
    MemorySegment argument = allocate(kvm_memory_attributes.sizeof());
    kvm_memory_attributes.address(argument, gpa);
    kvm_memory_attributes.size(argument, bytes);
    kvm_memory_attributes.attributes(argument, attributes);
    kvm_memory_attributes.flags(argument, flags);
    return call(vm, Kvm.KVM_SET_MEMORY_ATTRIBUTES(), argument);
  }

  int makePrivate(int vm, long gpa, long bytes) {
    return attributes(vm, gpa, bytes, Kvm.KVM_MEMORY_ATTRIBUTE_PRIVATE(), 0);
  }

  int enable(int vm, int capability, long value) {
    MemorySegment argument = allocate(kvm_enable_cap.sizeof());
    kvm_enable_cap.cap(argument, capability);
    kvm_enable_cap.args(argument, 0, value);
    return call(vm, Kvm.KVM_ENABLE_CAP(), argument);
  }

  int createVcpu(int vm, long id) {
    return kernel.ioctl(vm, Kvm.KVM_CREATE_VCPU(), id);
  }

  MemorySegment run(int vcpu) {
    long address =
        kernel.mmap(0, 3 * PAGE, Libc.PROT_READ() | Libc.PROT_WRITE(), Libc.MAP_SHARED(), vcpu, 0);
    return memoryAt(address, 3 * PAGE);
  }

  int enter(int vcpu) {
    return kernel.ioctl(vcpu, Kvm.KVM_RUN(), 0);
  }

  /** Enters and says in short what came of it. */
  String enter(int vcpu, MemorySegment run) {
    int result = enter(vcpu);
    int reason = kvm_run.exit_reason(run);
    String text = result + " ";
    if (reason == Kvm.KVM_EXIT_MEMORY_FAULT()) {
      MemorySegment fault = kvm_run.memory_fault(run);
      return text
          + "fault 0x%x 0x%x %d"
              .formatted(
                  kvm_run.memory_fault.gpa(fault),
                  kvm_run.memory_fault.size(fault),
                  kvm_run.memory_fault.flags(fault));
    }
    if (reason == Kvm.KVM_EXIT_MMIO()) {
      MemorySegment mmio = kvm_run.mmio(run);
      return text
          + "mmio 0x%x %d %s"
              .formatted(
                  kvm_run.mmio.phys_addr(mmio),
                  kvm_run.mmio.len(mmio),
                  kvm_run.mmio.is_write(mmio) != 0 ? "write" : "read");
    }
    if (reason == Kvm.KVM_EXIT_IO()) {
      MemorySegment io = kvm_run.io(run);
      return text
          + "%s 0x%x %d"
              .formatted(
                  kvm_run.io.direction(io) == Kvm.KVM_EXIT_IO_OUT() ? "out" : "in",
                  kvm_run.io.port(io),
                  kvm_run.io.size(io));
    }
    if (reason == Kvm.KVM_EXIT_HYPERCALL()) {
      MemorySegment call = kvm_run.hypercall(run);
      return text
          + "hypercall %d 0x%x %d %d"
              .formatted(
                  kvm_run.hypercall.nr(call),
                  kvm_run.hypercall.args(call, 0),
                  kvm_run.hypercall.args(call, 1),
                  kvm_run.hypercall.args(call, 2));
    }
    if (reason == Kvm.KVM_EXIT_SYSTEM_EVENT()) {
      return text + "event " + kvm_run.system_event.type(kvm_run.system_event(run));
    }
    return text + "reason " + reason;
  }
}
