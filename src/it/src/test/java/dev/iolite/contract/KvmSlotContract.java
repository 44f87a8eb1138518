package dev.iolite.contract;

import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CHECK_EXTENSION_ON_VM;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_VM;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_API_VERSION;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_DIRTY_LOG;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_VCPU_MMAP_SIZE;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_IOEVENTFD;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_USER_MEMORY_REGION;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_USER_MEMORY_REGION2;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_dirty_log;
import dev.iolite.uapi.kvm.kvm_ioeventfd;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** KVM itself, its VMs, and their memory slots. */
abstract class KvmSlotContract extends KvmContract {
  private static final int USER_SLOTS = 32764;
  private static final long GPA = 0x10_0000;

  KvmSlotContract(Backend backend) {
    super(backend);
  }

  @Test
  void theInterfaceIsVersionTwelve() {
    // kvm_main.c:kvm_dev_ioctl
    assertThat(ioctl(kvm, KVM_GET_API_VERSION, 0)).isEqualTo(12);
    fails(Errno.EINVAL, ioctl(kvm, KVM_GET_API_VERSION, 1));
  }

  @Test
  void theStateOfAVcpuIsThreePages() {
    // kvm_main.c:kvm_dev_ioctl: kvm_run, port I/O, coalesced MMIO
    assertThat(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0)).isEqualTo(3 * (int) PAGE);
    fails(Errno.EINVAL, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 1));
  }

  @Test
  void anUnknownCommandIsAnInvalidOneOfKvm() {
    // x86.c:kvm_arch_dev_ioctl: -EINVAL, where others say ENOTTY
    fails(Errno.EINVAL, kernel.ioctl(kvm, 0xaeff, 0));
  }

  @Test
  void anUnknownCommandOfAVmIsNoIoctl() {
    // x86.c:kvm_arch_vm_ioctl
    fails(Errno.ENOTTY, kernel.ioctl(vm(), 0xaeff, 0));
  }

  @Test
  void aVmOfAnUnknownTypeIsInvalid() {
    // x86.c:kvm_arch_init_vm: kvm_is_vm_type_supported
    fails(Errno.EINVAL, ioctl(kvm, KVM_CREATE_VM, 99));
    fails(Errno.EINVAL, ioctl(kvm, KVM_CREATE_VM, 1L << 32));
  }

  @Test
  void aVmOfATypeThatIsNotOfferedIsInvalid() {
    // x86.c:kvm_is_vm_type_supported
    int types = check(kvm, Kvm.KVM_CAP_VM_TYPES());
    for (int type = 0; type < 6; type++) {
      if ((types & 1 << type) == 0) {
        fails(Errno.EINVAL, ioctl(kvm, KVM_CREATE_VM, type));
      }
    }
    assertThat(types & 1).isEqualTo(1);
  }

  @Test
  void anUnknownCapabilityIsZero() {
    // kvm_main.c:kvm_vm_ioctl_check_extension_generic, x86.c
    assertThat(check(kvm, 100_000)).isZero();
    assertThat(ioctl(vm(), KVM_CHECK_EXTENSION_ON_VM, 100_000)).isZero();
  }

  @Test
  void thereAreThisManySlots() {
    // kvm_host.h:KVM_USER_MEM_SLOTS: 32767 without the three of KVM's own
    assertThat(check(kvm, Kvm.KVM_CAP_NR_MEMSLOTS())).isEqualTo(USER_SLOTS);
  }

  @Test
  void aSlotIsMadeAndDeleted() {
    // kvm_main.c:kvm_set_memory_region
    int vm = vm();
    succeeds(set(vm, 0, 0, GPA, PAGE, ram(PAGE)));
    succeeds(set(vm, 0, 0, 0, 0, 0));
    fails(Errno.EINVAL, set(vm, 0, 0, 0, 0, 0));
  }

  @Test
  void theOlderCommandDoesTheSame() {
    // kvm_main.c:kvm_vm_ioctl
    int vm = vm();
    succeeds(setV1(vm, 3, LOG_DIRTY, GPA, PAGE, ram(PAGE)));
    succeeds(setV1(vm, 3, 0, 0, 0, 0));
  }

  @Test
  void theOlderCommandKnowsTwoFlags() {
    // kvm_main.c:kvm_vm_ioctl: KVM_SET_USER_MEMORY_REGION_V1_FLAGS
    fails(Errno.EINVAL, setV1(vm(), 0, GUEST_MEMFD, GPA, PAGE, ram(PAGE)));
  }

  @Test
  void aSlotAtNowhereIsAFault() {
    // kvm_main.c:kvm_vm_ioctl: copy_from_user
    int vm = vm();
    fails(Errno.EFAULT, ioctl(vm, KVM_SET_USER_MEMORY_REGION2, NOWHERE));
    fails(Errno.EFAULT, ioctl(vm, KVM_SET_USER_MEMORY_REGION, NOWHERE));
  }

  @Test
  void theNewerCommandReadsAllOfItsStruct() {
    // kvm_main.c:kvm_vm_ioctl: 160 bytes against 32
    int vm = vm();
    long ram = ram(PAGE);
    long end = endOfMemory();
    at(end - 32, 32).copyFrom(slotOf(0, 0, GPA, PAGE, ram).asSlice(0, 32));
    fails(Errno.EFAULT, ioctl(vm, KVM_SET_USER_MEMORY_REGION2, end - 32));
    succeeds(ioctl(vm, KVM_SET_USER_MEMORY_REGION, end - 32));
  }

  @Test
  void aSlotBeyondTheLastIsInvalid() {
    // kvm_main.c:kvm_vm_ioctl_set_memory_region
    int vm = vm();
    long ram = ram(PAGE);
    succeeds(set(vm, USER_SLOTS - 1, 0, GPA, PAGE, ram));
    fails(Errno.EINVAL, set(vm, USER_SLOTS, 0, 2 * GPA, PAGE, ram));
    fails(Errno.EINVAL, set(vm, 0xffff, 0, 2 * GPA, PAGE, ram));
  }

  @Test
  void anAddressSpaceBeyondTheLastIsInvalid() {
    // kvm_main.c:kvm_set_memory_region: as_id in the upper half
    fails(Errno.EINVAL, set(vm(), 7 << 16, 0, GPA, PAGE, ram(PAGE)));
  }

  @Test
  void aSlotIsWholePages() {
    // kvm_main.c:kvm_set_memory_region
    int vm = vm();
    long ram = ram(2 * PAGE);
    fails(Errno.EINVAL, set(vm, 0, 0, GPA, 0x800, ram));
    fails(Errno.EINVAL, set(vm, 0, 0, GPA + 0x800, PAGE, ram));
    fails(Errno.EINVAL, set(vm, 0, 0, GPA, PAGE, ram + 0x800));
  }

  @Test
  void aSlotWithUnknownFlagsIsInvalid() {
    // kvm_main.c:check_memory_region_flags
    fails(Errno.EINVAL, set(vm(), 0, 1 << 3, GPA, PAGE, ram(PAGE)));
  }

  @Test
  void aSlotOverTheKernelsAddressesIsInvalid() {
    // kvm_main.c:kvm_set_memory_region: access_ok
    int vm = vm();
    fails(Errno.EINVAL, set(vm, 0, 0, GPA, PAGE, -PAGE));
    fails(Errno.EINVAL, set(vm, 0, 0, GPA, 2 * PAGE, 0x7fff_ffff_f000L));
  }

  @Test
  void memoryIsNotLookedAtWhenItsSlotIsMade() {
    // kvm_main.c:kvm_set_memory_region: only when the guest touches it
    succeeds(set(vm(), 0, 0, GPA, PAGE, NOWHERE));
    succeeds(set(vm(), 0, 0, GPA, PAGE, 0));
  }

  @Test
  void aSlotThatWrapsIsInvalid() {
    // kvm_main.c:kvm_set_memory_region
    fails(Errno.EINVAL, set(vm(), 0, 0, -PAGE, 2 * PAGE, ram(PAGE)));
  }

  @Test
  void aSlotOfTooManyPagesIsInvalid() {
    // kvm_main.c:kvm_set_memory_region: KVM_MEM_MAX_NR_PAGES
    fails(Errno.EINVAL, set(vm(), 0, 0, 0, 1L << 43, 0));
  }

  @Test
  void slotsDoNotOverlap() {
    // kvm_main.c:kvm_check_memslot_overlap
    int vm = vm();
    long ram = ram(2 * PAGE);
    succeeds(set(vm, 0, 0, GPA, 2 * PAGE, ram));
    fails(Errno.EEXIST, set(vm, 1, 0, GPA + PAGE, PAGE, ram));
    fails(Errno.EEXIST, set(vm, 1, 0, GPA - PAGE, 2 * PAGE, ram));
    succeeds(set(vm, 1, 0, GPA + 2 * PAGE, PAGE, ram));
    succeeds(set(vm, 2, 0, GPA - PAGE, PAGE, ram));
  }

  @Test
  void aSlotIsMoved() {
    // kvm_main.c:kvm_set_memory_region: KVM_MR_MOVE
    int vm = vm();
    long ram = ram(PAGE);
    succeeds(set(vm, 0, 0, GPA, PAGE, ram));
    succeeds(set(vm, 0, 0, 2 * GPA, PAGE, ram));
    succeeds(set(vm, 1, 0, GPA, PAGE, ram));
    fails(Errno.EEXIST, set(vm, 1, 0, 2 * GPA, PAGE, ram));
  }

  @Test
  void aSlotMayBeMovedOverItself() {
    // kvm_main.c:kvm_check_memslot_overlap: all slots but this one
    int vm = vm();
    long ram = ram(2 * PAGE);
    succeeds(set(vm, 0, 0, GPA, 2 * PAGE, ram));
    succeeds(set(vm, 0, 0, GPA + PAGE, 2 * PAGE, ram));
  }

  @Test
  void aSlotKeepsItsMemoryAndItsSize() {
    // kvm_main.c:kvm_set_memory_region
    int vm = vm();
    long ram = ram(2 * PAGE);
    succeeds(set(vm, 0, 0, GPA, PAGE, ram));
    fails(Errno.EINVAL, set(vm, 0, 0, GPA, 2 * PAGE, ram));
    fails(Errno.EINVAL, set(vm, 0, 0, GPA, PAGE, ram + PAGE));
  }

  @Test
  void aSlotStaysWritableOrReadOnly() {
    // kvm_main.c:kvm_set_memory_region
    int vm = vm();
    long ram = ram(PAGE);
    succeeds(set(vm, 0, READONLY, GPA, PAGE, ram));
    fails(Errno.EINVAL, set(vm, 0, 0, GPA, PAGE, ram));
    succeeds(set(vm, 0, READONLY | LOG_DIRTY, GPA, PAGE, ram));
  }

  @Test
  void theSameSlotAgainIsNoChange() {
    // kvm_main.c:kvm_set_memory_region
    int vm = vm();
    long ram = ram(PAGE);
    succeeds(set(vm, 0, 0, GPA, PAGE, ram));
    succeeds(set(vm, 0, 0, GPA, PAGE, ram));
  }

  @Test
  void aSlotIsDeletedWhateverElseIsSaid() {
    // kvm_main.c:kvm_set_memory_region: a size of 0, after the sanity checks
    int vm = vm();
    succeeds(set(vm, 0, 0, GPA, PAGE, ram(PAGE)));
    fails(Errno.EINVAL, set(vm, 0, 0, 0x800, 0, 0));
    succeeds(set(vm, 0, LOG_DIRTY | READONLY, 5 * GPA, 0, 0));
  }

  @Test
  void twoSlotsMayHaveTheSameMemory() {
    // kvm_main.c:kvm_set_memory_region
    int vm = vm();
    long ram = ram(PAGE);
    succeeds(set(vm, 0, 0, GPA, PAGE, ram));
    succeeds(set(vm, 1, 0, 2 * GPA, PAGE, ram));
  }

  @Test
  void aDirtyLogNeedsASlotThatIsLogged() {
    // kvm_main.c:kvm_get_dirty_log_protect
    int vm = vm();
    long ram = ram(PAGE);
    MemorySegment log = struct(kvm_dirty_log.layout());
    kvm_dirty_log.dirty_bitmap(log, zeros(8));
    fails(Errno.ENOENT, ioctl(vm, KVM_GET_DIRTY_LOG, log));
    succeeds(set(vm, 0, 0, GPA, PAGE, ram));
    fails(Errno.ENOENT, ioctl(vm, KVM_GET_DIRTY_LOG, log));
    succeeds(set(vm, 0, LOG_DIRTY, GPA, PAGE, ram));
    succeeds(ioctl(vm, KVM_GET_DIRTY_LOG, log));
    kvm_dirty_log.slot(log, USER_SLOTS);
    fails(Errno.EINVAL, ioctl(vm, KVM_GET_DIRTY_LOG, log));
  }

  @Test
  void anIoeventfdChecksItsLengthAndItsFlags() {
    // eventfd.c:kvm_assign_ioeventfd
    int vm = vm();
    MemorySegment event = struct(kvm_ioeventfd.layout());
    kvm_ioeventfd.addr(event, GPA);
    kvm_ioeventfd.fd(event, eventfd());
    kvm_ioeventfd.len(event, 3);
    fails(Errno.EINVAL, ioctl(vm, KVM_IOEVENTFD, event));
    kvm_ioeventfd.len(event, 4);
    kvm_ioeventfd.flags(event, 1 << 7);
    fails(Errno.EINVAL, ioctl(vm, KVM_IOEVENTFD, event));
    kvm_ioeventfd.flags(event, 0);
    succeeds(ioctl(vm, KVM_IOEVENTFD, event));
    fails(Errno.EEXIST, ioctl(vm, KVM_IOEVENTFD, event));
    kvm_ioeventfd.flags(event, 1 << 2);
    succeeds(ioctl(vm, KVM_IOEVENTFD, event));
    fails(Errno.ENOENT, ioctl(vm, KVM_IOEVENTFD, event));
  }

  @Test
  void aVmLivesWithoutItsKvm() {
    // kvm_main.c:kvm_dev_ioctl_create_vm
    int vm = vm();
    close(kvm);
    succeeds(set(vm, 0, 0, GPA, PAGE, ram(PAGE)));
  }

  @Test
  void aVmIsNeitherReadNorMapped() {
    // kvm_main.c:kvm_vm_fops
    int vm = vm();
    fails(Errno.EINVAL, kernel.read(vm, zeros(8).address(), 8));
    fails(Errno.ENODEV, mmap(vm, PAGE, 1, 1, 0));
    fails(Errno.ENODEV, mmap(kvm, PAGE, 1, 1, 0));
  }
}
