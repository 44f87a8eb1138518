package dev.iolite.contract;

import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_GUEST_MEMFD;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_USER_MEMORY_REGION2;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.kvm_create_guest_memfd;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region2;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** Private memory of a guest, and the slots over it. */
abstract class GuestMemfdContract extends KvmContract {
  private static final long GPA = 0x10_0000;
  private static final long MMAP = 1;
  private static final long INIT_SHARED = 2;

  GuestMemfdContract(Backend backend) {
    super(backend);
  }

  private int privateVm() {
    int vm = protectedVm();
    assumeGuestMemfd(vm);
    return vm;
  }

  @Test
  void aGuestMemfdHasAWholeNumberOfPages() {
    // guest_memfd.c:kvm_gmem_create
    int vm = privateVm();
    fails(Errno.EINVAL, createGuestMemfd(vm, 0, 0));
    fails(Errno.EINVAL, createGuestMemfd(vm, 0x800, 0));
    fails(Errno.EINVAL, createGuestMemfd(vm, -PAGE, 0));
    assertThat(guestMemfd(vm, PAGE)).isPositive();
  }

  @Test
  void unknownFlagsAreInvalid() {
    // guest_memfd.c:kvm_gmem_create
    fails(Errno.EINVAL, createGuestMemfd(privateVm(), PAGE, 1 << 5));
  }

  @Test
  void reservedFieldsAreNotLookedAt() {
    // guest_memfd.c:kvm_gmem_create
    int vm = privateVm();
    MemorySegment create = struct(kvm_create_guest_memfd.layout()).fill((byte) 0x55);
    kvm_create_guest_memfd.size(create, PAGE);
    kvm_create_guest_memfd.flags(create, 0);
    keep(ioctl(vm, KVM_CREATE_GUEST_MEMFD, create));
    fails(Errno.EFAULT, ioctl(vm, KVM_CREATE_GUEST_MEMFD, NOWHERE));
  }

  @Test
  void onlyAVmWithoutPrivateMemoryStartsItShared() {
    // x86.c:kvm_arch_supports_gmem_init_shared
    int vm = privateVm();
    fails(Errno.EINVAL, createGuestMemfd(vm, PAGE, INIT_SHARED));
    int plain = vm();
    keep(createGuestMemfd(plain, PAGE, MMAP | INIT_SHARED));
  }

  @Test
  void aGuestMemfdTakesItsSizeFromItsMaking() {
    // guest_memfd.c: no truncation
    int gmem = guestMemfd(privateVm(), 2 * PAGE);
    fails(Errno.EINVAL, kernel.ftruncate(gmem, PAGE));
  }

  @Test
  void aHoleInAGuestMemfdIsOfWholePages() {
    // guest_memfd.c:kvm_gmem_fallocate
    int keep = Libc.FALLOC_FL_KEEP_SIZE();
    int hole = Libc.FALLOC_FL_PUNCH_HOLE() | keep;
    int gmem = guestMemfd(privateVm(), 2 * PAGE);
    succeeds(kernel.fallocate(gmem, hole, PAGE, PAGE));
    succeeds(kernel.fallocate(gmem, hole, PAGE, 2 * PAGE));
    fails(Errno.EINVAL, kernel.fallocate(gmem, hole, 8, PAGE));
    fails(Errno.EINVAL, kernel.fallocate(gmem, hole, 0, 8));
    fails(Errno.EINVAL, kernel.fallocate(gmem, hole, 0, 0));
    fails(Errno.EOPNOTSUPP, kernel.fallocate(gmem, 0, 0, PAGE));
    succeeds(kernel.fallocate(gmem, keep, 0, 2 * PAGE));
    fails(Errno.EINVAL, kernel.fallocate(gmem, keep, PAGE, 2 * PAGE));
  }

  @Test
  void aHoleInASharedGuestMemfdIsZeros() {
    // guest_memfd.c:kvm_gmem_punch_hole
    int vm = vm();
    assumeGuestMemfd(vm);
    int gmem = keep(createGuestMemfd(vm, 2 * PAGE, MMAP | INIT_SHARED));
    int readWrite = Libc.PROT_READ() | Libc.PROT_WRITE();
    long address = mapped(mmap(gmem, 2 * PAGE, readWrite, Libc.MAP_SHARED(), 0), 2 * PAGE);
    MemorySegment memory = at(address, 2 * PAGE);
    memory.fill((byte) 7);
    int hole = Libc.FALLOC_FL_PUNCH_HOLE() | Libc.FALLOC_FL_KEEP_SIZE();
    succeeds(kernel.fallocate(gmem, hole, PAGE, PAGE));
    assertThat(memory.get(ValueLayout.JAVA_BYTE, PAGE)).isZero();
    assertThat(memory.get(ValueLayout.JAVA_BYTE, PAGE - 1)).isEqualTo((byte) 7);
  }

  @Test
  void aGuestMemfdIsNeitherReadNorWritten() {
    // guest_memfd.c:kvm_gmem_fops
    int gmem = guestMemfd(privateVm(), PAGE);
    fails(Errno.EINVAL, kernel.read(gmem, zeros(8).address(), 8));
    fails(Errno.EINVAL, kernel.write(gmem, zeros(8).address(), 8));
    fails(Errno.ESPIPE, kernel.pread(gmem, zeros(8).address(), 8, 0));
    fails(Errno.ESPIPE, kernel.pwrite(gmem, zeros(8).address(), 8, 0));
  }

  @Test
  void aGuestMemfdIsMappedOnlyIfItWasMadeSo() {
    // guest_memfd.c:kvm_gmem_mmap
    int vm = privateVm();
    int readWrite = Libc.PROT_READ() | Libc.PROT_WRITE();
    int hidden = guestMemfd(vm, PAGE);
    fails(Errno.ENODEV, mmap(hidden, PAGE, readWrite, Libc.MAP_SHARED(), 0));
    int open = keep(createGuestMemfd(vm, PAGE, MMAP));
    fails(Errno.EINVAL, mmap(open, PAGE, readWrite, Libc.MAP_PRIVATE(), 0));
    mapped(mmap(open, PAGE, readWrite, Libc.MAP_SHARED(), 0), PAGE);
  }

  @Test
  void sharedContentIsMemory() {
    // guest_memfd.c:kvm_gmem_fault_user_mapping: INIT_SHARED
    int vm = vm();
    assumeGuestMemfd(vm);
    int gmem = keep(createGuestMemfd(vm, PAGE, MMAP | INIT_SHARED));
    int readWrite = Libc.PROT_READ() | Libc.PROT_WRITE();
    long address = mapped(mmap(gmem, PAGE, readWrite, Libc.MAP_SHARED(), 0), PAGE);
    at(address, PAGE).set(ValueLayout.JAVA_LONG, 8, 0x1234L);
    long again = mapped(mmap(gmem, PAGE, readWrite, Libc.MAP_SHARED(), 0), PAGE);
    assertThat(at(again, PAGE).get(ValueLayout.JAVA_LONG, 8)).isEqualTo(0x1234L);
  }

  @Test
  void aSlotTakesAPartOfAGuestMemfd() {
    // guest_memfd.c:kvm_gmem_prepare_memory_region
    int vm = privateVm();
    int gmem = guestMemfd(vm, 4 * PAGE);
    succeeds(setPrivate(vm, 0, GPA, 2 * PAGE, 0, gmem, PAGE));
    succeeds(setPrivate(vm, 1, 2 * GPA, PAGE, ram(PAGE), gmem, 3 * PAGE));
  }

  @Test
  void aPartOfAGuestMemfdHasOneSlot() {
    // guest_memfd.c:kvm_gmem_prepare_memory_region: xa_find
    int vm = privateVm();
    int gmem = guestMemfd(vm, 4 * PAGE);
    succeeds(setPrivate(vm, 0, GPA, 2 * PAGE, 0, gmem, PAGE));
    fails(Errno.EEXIST, setPrivate(vm, 1, 2 * GPA, PAGE, 0, gmem, 2 * PAGE));
    succeeds(set(vm, 0, 0, 0, 0, 0));
    succeeds(setPrivate(vm, 1, 2 * GPA, PAGE, 0, gmem, 2 * PAGE));
  }

  @Test
  void slotsOverlapBeforeTheGuestMemfdIsLookedAt() {
    // kvm_main.c:kvm_set_memory_region
    int vm = privateVm();
    succeeds(set(vm, 0, 0, GPA, PAGE, ram(PAGE)));
    fails(Errno.EEXIST, setPrivate(vm, 1, GPA, PAGE, 0, NO_FD, 0));
  }

  @Test
  void aSlotLiesWithinItsGuestMemfd() {
    // guest_memfd.c:kvm_gmem_prepare_memory_region
    int vm = privateVm();
    int gmem = guestMemfd(vm, 2 * PAGE);
    fails(Errno.EINVAL, setPrivate(vm, 0, GPA, 2 * PAGE, 0, gmem, PAGE));
    fails(Errno.EINVAL, setPrivate(vm, 0, GPA, PAGE, 0, gmem, 2 * PAGE));
    fails(Errno.EINVAL, setPrivate(vm, 0, GPA, PAGE, 0, gmem, 0x800));
    fails(Errno.EINVAL, setPrivate(vm, 0, GPA, 2 * PAGE, 0, gmem, -PAGE));
  }

  @Test
  void onlyAGuestMemfdIsPrivateMemory() {
    // guest_memfd.c:kvm_gmem_prepare_memory_region
    int vm = privateVm();
    fails(Errno.EBADF, setPrivate(vm, 0, GPA, PAGE, 0, NO_FD, 0));
    fails(Errno.EINVAL, setPrivate(vm, 0, GPA, PAGE, 0, memfd(PAGE), 0));
    fails(Errno.EINVAL, setPrivate(vm, 0, GPA, PAGE, 0, kvm, 0));
  }

  @Test
  void aGuestMemfdBelongsToItsVm() {
    // guest_memfd.c:kvm_gmem_prepare_memory_region
    int vm = privateVm();
    int other = privateVm();
    int gmem = guestMemfd(other, PAGE);
    fails(Errno.EINVAL, setPrivate(vm, 0, GPA, PAGE, 0, gmem, 0));
  }

  @Test
  void aPrivateSlotIsOnlyDeleted() {
    // kvm_main.c:kvm_set_memory_region: immutable
    int vm = privateVm();
    int gmem = guestMemfd(vm, PAGE);
    succeeds(setPrivate(vm, 0, GPA, PAGE, 0, gmem, 0));
    fails(Errno.EINVAL, setPrivate(vm, 0, GPA, PAGE, 0, gmem, 0));
    fails(Errno.EINVAL, setPrivate(vm, 0, 2 * GPA, PAGE, 0, gmem, 0));
    fails(Errno.EINVAL, set(vm, 0, 0, GPA, PAGE, 0));
    succeeds(set(vm, 0, 0, 0, 0, 0));
  }

  @Test
  void aSharedSlotDoesNotBecomePrivate() {
    // kvm_main.c:kvm_set_memory_region
    int vm = privateVm();
    int gmem = guestMemfd(vm, PAGE);
    long ram = ram(PAGE);
    succeeds(set(vm, 0, 0, GPA, PAGE, ram));
    fails(Errno.EINVAL, setPrivate(vm, 0, GPA, PAGE, ram, gmem, 0));
  }

  @Test
  void aPrivateSlotIsNeitherLoggedNorReadOnly() {
    // kvm_main.c:check_memory_region_flags
    int vm = privateVm();
    int gmem = guestMemfd(vm, PAGE);
    for (int flag : new int[] {LOG_DIRTY, READONLY}) {
      MemorySegment region = slotOf(0, GUEST_MEMFD | flag, GPA, PAGE, 0);
      kvm_userspace_memory_region2.guest_memfd(region, gmem);
      fails(Errno.EINVAL, ioctl(vm, KVM_SET_USER_MEMORY_REGION2, region));
    }
  }

  @Test
  void theAddressOfAPrivateSlotIsLookedAtToo() {
    // kvm_main.c:kvm_set_memory_region: access_ok
    int vm = privateVm();
    int gmem = guestMemfd(vm, PAGE);
    fails(Errno.EINVAL, setPrivate(vm, 0, GPA, PAGE, -PAGE, gmem, 0));
    fails(Errno.EINVAL, setPrivate(vm, 0, GPA, PAGE, 0x800, gmem, 0));
  }

  @Test
  void aGuestMemfdMayBeClosedUnderItsSlot() {
    // guest_memfd.c:kvm_gmem_release unbinds; the slot stays
    int vm = privateVm();
    int gmem = guestMemfd(vm, PAGE);
    succeeds(setPrivate(vm, 0, GPA, PAGE, 0, gmem, 0));
    close(gmem);
    fails(Errno.EEXIST, set(vm, 1, 0, GPA, PAGE, ram(PAGE)));
    succeeds(set(vm, 0, 0, 0, 0, 0));
  }

  @Test
  void aGuestMemfdKeepsItsVm() {
    // guest_memfd.c:__kvm_gmem_create: kvm_get_kvm
    int vm = privateVm();
    int gmem = guestMemfd(vm, PAGE);
    close(vm);
    assertThat(kernel.lseek(gmem, 0, Libc.SEEK_CUR())).isNotEqualTo(Errno.EBADF.negated());
  }

  @Test
  void aPlainVmMayHaveAGuestMemfdToo() {
    // x86.c: guest_memfd without private memory
    int vm = vm();
    assumeGuestMemfd(vm);
    int gmem = guestMemfd(vm, PAGE);
    int result = setPrivate(vm, 0, GPA, PAGE, ram(PAGE), gmem, 0);
    succeeds(result);
  }
}
