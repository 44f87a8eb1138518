package dev.iolite.contract;

import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CHECK_EXTENSION;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CHECK_EXTENSION_ON_VM;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_GUEST_MEMFD;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_VCPU;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_VM;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_MEMORY_ATTRIBUTES;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_USER_MEMORY_REGION;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_USER_MEMORY_REGION2;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_create_guest_memfd;
import dev.iolite.uapi.kvm.kvm_memory_attributes;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region2;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.BeforeEach;

/** KVM, and VMs with their memory. */
abstract class KvmContract extends Contract {
  static final int READONLY = (int) Kvm.KVM_MEM_READONLY();
  static final int LOG_DIRTY = (int) Kvm.KVM_MEM_LOG_DIRTY_PAGES();
  static final int GUEST_MEMFD = (int) Kvm.KVM_MEM_GUEST_MEMFD();
  static final long PRIVATE = Kvm.KVM_MEMORY_ATTRIBUTE_PRIVATE();

  /** Where the code of a guest is. */
  static final long CODE = 0x1000;

  /** How large kvm_run is, with what follows it. */
  static final long STATE = 3 * PAGE;

  int kvm = NO_FD;

  KvmContract(Backend backend) {
    super(backend);
  }

  @BeforeEach
  final void openKvm() {
    int fd = kernel.open("/dev/kvm", Libc.O_RDWR() | Libc.O_CLOEXEC());
    if (fd < 0) {
      abort(backend.name() + " has no KVM that can be used: " + Errno.of(-fd));
    }
    kvm = keep(fd);
  }

  final int vm(int type) {
    return keep(ioctl(kvm, KVM_CREATE_VM, type));
  }

  /** A VM of the plain type. */
  final int vm() {
    return vm(Kvm.KVM_X86_DEFAULT_VM());
  }

  /** A VM with private memory. */
  final int protectedVm() {
    int type = Kvm.KVM_X86_SW_PROTECTED_VM();
    assumeTrue(
        (check(kvm, Kvm.KVM_CAP_VM_TYPES()) & 1 << type) != 0,
        () -> backend.name() + " has no VMs with private memory (type " + type + ")");
    return vm(type);
  }

  /** The first vCPU of a VM. */
  final int vcpu(int vm) {
    return keep(ioctl(vm, KVM_CREATE_VCPU, 0));
  }

  /** A vCPU's kvm_run. */
  final MemorySegment stateOf(int vcpu) {
    int readWrite = Libc.PROT_READ() | Libc.PROT_WRITE();
    return at(mapped(mmap(vcpu, STATE, readWrite, Libc.MAP_SHARED(), 0), STATE), STATE);
  }

  /** The first vCPU of a VM, which is about to run this 16-bit code and has no other memory. */
  final int vcpuWithCode(int vm, int... code) {
    long ram = ram(PAGE);
    for (int i = 0; i < code.length; i++) {
      at(ram, PAGE).set(ValueLayout.JAVA_BYTE, i, (byte) code[i]);
    }
    succeeds(set(vm, 0, 0, CODE, PAGE, ram));
    int vcpu = vcpu(vm);
    enterRealMode(vcpu, CODE);
    return vcpu;
  }

  /** Skips the case where there is no guest_memfd. */
  final void assumeGuestMemfd(int vm) {
    assumeTrue(
        ioctl(vm, KVM_CHECK_EXTENSION_ON_VM, Kvm.KVM_CAP_GUEST_MEMFD()) > 0,
        () -> backend.name() + " has no guest_memfd for this VM");
  }

  final int check(int kvm, int capability) {
    return succeeds(ioctl(kvm, KVM_CHECK_EXTENSION, capability));
  }

  /** The argument of KVM_SET_USER_MEMORY_REGION2. */
  final MemorySegment slotOf(int slot, int flags, long gpa, long bytes, long address) {
    MemorySegment region = struct(kvm_userspace_memory_region2.layout());
    kvm_userspace_memory_region2.slot(region, slot);
    kvm_userspace_memory_region2.flags(region, flags);
    kvm_userspace_memory_region2.guest_phys_addr(region, gpa);
    kvm_userspace_memory_region2.memory_size(region, bytes);
    kvm_userspace_memory_region2.userspace_addr(region, address);
    return region;
  }

  final int set(int vm, int slot, int flags, long gpa, long bytes, long address) {
    return ioctl(vm, KVM_SET_USER_MEMORY_REGION2, slotOf(slot, flags, gpa, bytes, address));
  }

  /** With the older of the two commands. */
  final int setV1(int vm, int slot, int flags, long gpa, long bytes, long address) {
    MemorySegment region = struct(kvm_userspace_memory_region.layout());
    kvm_userspace_memory_region.slot(region, slot);
    kvm_userspace_memory_region.flags(region, flags);
    kvm_userspace_memory_region.guest_phys_addr(region, gpa);
    kvm_userspace_memory_region.memory_size(region, bytes);
    kvm_userspace_memory_region.userspace_addr(region, address);
    return ioctl(vm, KVM_SET_USER_MEMORY_REGION, region);
  }

  /** A slot with private memory. */
  final int setPrivate(int vm, int slot, long gpa, long bytes, long address, int gmem, long at) {
    MemorySegment region = slotOf(slot, GUEST_MEMFD, gpa, bytes, address);
    kvm_userspace_memory_region2.guest_memfd(region, gmem);
    kvm_userspace_memory_region2.guest_memfd_offset(region, at);
    return ioctl(vm, KVM_SET_USER_MEMORY_REGION2, region);
  }

  /** Makes a guest_memfd; the result of the call. */
  final int createGuestMemfd(int vm, long bytes, long flags) {
    MemorySegment create = struct(kvm_create_guest_memfd.layout());
    kvm_create_guest_memfd.size(create, bytes);
    kvm_create_guest_memfd.flags(create, flags);
    return ioctl(vm, KVM_CREATE_GUEST_MEMFD, create);
  }

  final int guestMemfd(int vm, long bytes) {
    return keep(createGuestMemfd(vm, bytes, 0));
  }

  /** The argument of KVM_SET_MEMORY_ATTRIBUTES. */
  final MemorySegment attributesOf(long gpa, long bytes, long attributes) {
    MemorySegment set = struct(kvm_memory_attributes.layout());
    kvm_memory_attributes.address(set, gpa);
    kvm_memory_attributes.size(set, bytes);
    kvm_memory_attributes.attributes(set, attributes);
    return set;
  }

  final int setAttributes(int vm, long gpa, long bytes, long attributes) {
    return ioctl(vm, KVM_SET_MEMORY_ATTRIBUTES, attributesOf(gpa, bytes, attributes));
  }
}
