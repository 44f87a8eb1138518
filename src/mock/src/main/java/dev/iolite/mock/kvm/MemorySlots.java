package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.DmaBufFile;
import dev.iolite.mock.core.DmaBufSlots;
import dev.iolite.mock.core.Refused;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region2;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A VM's memory slots, in one or two address spaces (the second one is SMM's). */
final class MemorySlots {
  private static final long OFFSET_IN_PAGE = Page.BYTES - 1;

  /** arch/x86/kernel/cpu/common.c: USER_PTR_MAX. */
  private static final long USER_PTR_MAX = 0x7fff_ffff_f000L;

  /** include/linux/kvm_host.h: KVM_MEM_MAX_NR_PAGES. */
  private static final long MOST_PAGES = (1L << 31) - 1;

  /** The number of no slot. */
  private static final int NO_NUMBER = -1;

  private final KvmVm vm;
  private final List<TreeMap<Long, KvmMemorySlot>> byAddress = new ArrayList<>();
  private final Map<Integer, KvmMemorySlot> byNumber = new HashMap<>();

  /** The slot that was found last, because the next access is usually to the same one. */
  private @Nullable KvmMemorySlot lastFound;

  MemorySlots(KvmVm vm) {
    this.vm = vm;
    byAddress.add(new TreeMap<>(Long::compareUnsigned));
    byAddress.add(new TreeMap<>(Long::compareUnsigned));
  }

  /** The slot at an address of the guests' address space; null if there is none. */
  @Nullable KvmMemorySlot at(long gpa) {
    KvmMemorySlot last = lastFound;
    if (last != null && last.contains(gpa)) {
      return last;
    }
    Map.Entry<Long, KvmMemorySlot> below = byAddress.getFirst().floorEntry(gpa);
    if (below == null || !below.getValue().contains(gpa)) {
      return null;
    }
    lastFound = below.getValue();
    return lastFound;
  }

  /** The slot with this number, whose upper half is the address space. */
  Optional<KvmMemorySlot> of(int number) {
    return Optional.ofNullable(byNumber.get(number));
  }

  /** The slots of the guests' address space, by address. */
  Iterable<KvmMemorySlot> all() {
    return byAddress.getFirst().values();
  }

  /** virt/kvm/kvm_main.c:kvm_vm_ioctl_set_memory_region, kvm_set_memory_region. */
  void set(MemorySegment region) {
    int number = kvm_userspace_memory_region2.slot(region);
    int flags = kvm_userspace_memory_region2.flags(region);
    long gpa = kvm_userspace_memory_region2.guest_phys_addr(region);
    long bytes = kvm_userspace_memory_region2.memory_size(region);
    long hostAddress = kvm_userspace_memory_region2.userspace_addr(region);
    long fileOffset = kvm_userspace_memory_region2.guest_memfd_offset(region);
    int id = number & 0xffff;
    int addressSpace = number >>> 16;

    refuseIf(id >= KvmCapabilities.USER_MEM_SLOTS, Errno.EINVAL);
    refuseIf((flags & ~validFlags(flags)) != 0, Errno.EINVAL);
    refuseIf((bytes & OFFSET_IN_PAGE) != 0, Errno.EINVAL);
    refuseIf((gpa & OFFSET_IN_PAGE) != 0, Errno.EINVAL);
    refuseIf((hostAddress & OFFSET_IN_PAGE) != 0 || !accessOk(hostAddress, bytes), Errno.EINVAL);
    refuseIf(
        (flags & (Kvm.KVM_MEM_GUEST_MEMFD() | dmaBufFlag())) != 0
            && ((fileOffset & OFFSET_IN_PAGE) != 0 || wraps(fileOffset, bytes)),
        Errno.EINVAL);
    refuseIf(addressSpace >= vm.addressSpaces(), Errno.EINVAL);
    refuseIf(wraps(gpa, bytes), Errno.EINVAL);
    refuseIf((bytes >>> 12) > MOST_PAGES, Errno.EINVAL);
    KvmMemorySlot old = byNumber.get(number);
    if (old == null) {
      refuseIf(bytes == 0, Errno.EINVAL);
      create(region);
    } else if (bytes == 0) {
      delete(old);
    } else {
      change(old, flags, gpa, bytes, hostAddress);
    }
  }

  /** virt/kvm/kvm_main.c:check_memory_region_flags. */
  private long validFlags(int flags) {
    if ((flags & Kvm.KVM_MEM_GUEST_MEMFD()) != 0) {
      return Kvm.KVM_MEM_GUEST_MEMFD();
    }
    if ((flags & dmaBufFlag()) != 0) {
      return vm.host().dmaBufSlots().flags(vm.hasPrivateMemory());
    }
    return Kvm.KVM_MEM_LOG_DIRTY_PAGES()
        | Kvm.KVM_MEM_GUEST_MEMFD()
        | (vm.hasProtectedState() ? 0 : Kvm.KVM_MEM_READONLY());
  }

  /** The flag of a proposal. */
  private int dmaBufFlag() {
    return vm.host().dmaBufSlots().flag();
  }

  /** arch/x86/include/asm/uaccess_64.h:__access_ok. */
  private static boolean accessOk(long address, long bytes) {
    long end = address + bytes;
    return Long.compareUnsigned(end, USER_PTR_MAX) <= 0 && Long.compareUnsigned(end, address) >= 0;
  }

  private static boolean wraps(long start, long bytes) {
    return Long.compareUnsigned(start + bytes, start) < 0;
  }

  private void create(MemorySegment region) {
    int number = kvm_userspace_memory_region2.slot(region);
    int flags = kvm_userspace_memory_region2.flags(region);
    long gpa = kvm_userspace_memory_region2.guest_phys_addr(region);
    long bytes = kvm_userspace_memory_region2.memory_size(region);
    int addressSpace = number >>> 16;
    refuseIf(overlaps(addressSpace, number, gpa, bytes), Errno.EEXIST);
    long hostAddress = kvm_userspace_memory_region2.userspace_addr(region);
    KvmMemorySlot slot =
        new KvmMemorySlot(
            addressSpace,
            number & 0xffff,
            gpa,
            bytes,
            flags,
            hostAddress,
            vm.task().memory().asSeenByGuest(hostAddress),
            vm.dirtyLogStartsFull());
    if (slot.hasGuestMemfd()) {
      GuestMemfdFile file = guestMemfd(region, bytes);
      requireReachable(gpa, bytes);
      file.bind(slot, kvm_userspace_memory_region2.guest_memfd_offset(region));
    } else if ((flags & dmaBufFlag()) != 0) {
      SlotDmaBuf its = dmaBuf(region, bytes);
      try {
        requireReachable(gpa, bytes);
      } catch (Refused e) {
        its.detach();
        throw e;
      }
      slot.setDmaBuf(its);
    } else {
      requireReachable(gpa, bytes);
    }
    byNumber.put(number, slot);
    byAddress.get(addressSpace).put(gpa, slot);
    vm.mmioPages().slotsChanged();
  }

  /** virt/kvm/guest_memfd.c:kvm_gmem_prepare_memory_region. */
  private GuestMemfdFile guestMemfd(MemorySegment region, long bytes) {
    GuestMemfdFile file =
        vm.task()
            .descriptors()
            .get(kvm_userspace_memory_region2.guest_memfd(region), GuestMemfdFile.class)
            .orElseThrow(() -> refused(Errno.EINVAL));
    refuseIf(!file.isOf(vm), Errno.EINVAL);
    long offset = kvm_userspace_memory_region2.guest_memfd_offset(region);
    refuseIf(Long.compareUnsigned(offset + bytes, file.bytes()) > 0, Errno.EINVAL);
    return file;
  }

  /** For a proposal: the descriptor is a dma-buf's (dma_buf_get). */
  private SlotDmaBuf dmaBuf(MemorySegment region, long bytes) {
    DmaBufFile file =
        vm.task()
            .descriptors()
            .get(kvm_userspace_memory_region2.guest_memfd(region), DmaBufFile.class)
            .orElseThrow(() -> refused(Errno.EINVAL));
    long offset = kvm_userspace_memory_region2.guest_memfd_offset(region);
    DmaBufSlots slots = vm.host().dmaBufSlots();
    int flags = kvm_userspace_memory_region2.flags(region);
    return new SlotDmaBuf(file, slots.check(file, flags, offset, bytes), offset);
  }

  /** Called when the VM is destroyed (kvm_free_memslots). */
  void release() {
    byNumber.values().forEach(slot -> slot.dmaBuf().ifPresent(SlotDmaBuf::detach));
    byNumber.clear();
  }

  /** arch/x86/kvm/x86.c:kvm_arch_prepare_memory_region. */
  private void requireReachable(long gpa, long bytes) {
    long last = (gpa >>> 12) + (bytes >>> 12) - 1;
    refuseIf(Long.compareUnsigned(last, vm.platform().lastPage()) > 0, Errno.EINVAL);
    refuseIf((last & vm.aliasPages()) != 0, Errno.EINVAL);
  }

  /**
   * Checks that there can be another slot in the guests' address space.
   *
   * @throws dev.iolite.mock.core.Refused EEXIST: there is one; EINVAL: there can't be any
   */
  void requireFree(long gpa, long bytes) {
    refuseIf(overlaps(0, NO_NUMBER, gpa, bytes), Errno.EEXIST);
    requireReachable(gpa, bytes);
  }

  private boolean overlaps(int addressSpace, int number, long gpa, long bytes) {
    if (vm.mapsBySlots() && vm.privateMappings().overlaps(gpa, bytes)) {
      return true;
    }
    for (KvmMemorySlot slot :
        byAddress.get(addressSpace).headMap(gpa + bytes, false).descendingMap().values()) {
      if (Long.compareUnsigned(slot.end(), gpa) <= 0) {
        return false;
      }
      if (number(slot) != number) {
        return true;
      }
    }
    return false;
  }

  private static int number(KvmMemorySlot slot) {
    return slot.addressSpace << 16 | slot.id;
  }

  private void change(KvmMemorySlot old, int flags, long gpa, long bytes, long hostAddress) {
    refuseIf((flags & (Kvm.KVM_MEM_GUEST_MEMFD() | dmaBufFlag())) != 0, Errno.EINVAL);
    long fixed = Kvm.KVM_MEM_READONLY() | Kvm.KVM_MEM_GUEST_MEMFD() | dmaBufFlag();
    refuseIf(
        hostAddress != old.hostAddress
            || bytes != old.bytes
            || ((flags ^ old.flags()) & fixed) != 0,
        Errno.EINVAL);
    if (gpa == old.gpa() && flags == old.flags()) {
      return;
    }
    if (gpa != old.gpa()) {
      refuseIf(overlaps(old.addressSpace, number(old), gpa, bytes), Errno.EEXIST);
      requireReachable(gpa, bytes);
      byAddress.get(old.addressSpace).remove(old.gpa());
      old.moveTo(gpa);
      byAddress.get(old.addressSpace).put(gpa, old);
      lastFound = null;
    }
    old.setFlags(flags, vm.dirtyLogStartsFull());
    vm.mmioPages().slotsChanged();
  }

  private void delete(KvmMemorySlot slot) {
    slot.guestMemfd().ifPresent(file -> file.unbind(slot));
    slot.dmaBuf().ifPresent(SlotDmaBuf::detach);
    byNumber.remove(number(slot));
    byAddress.get(slot.addressSpace).remove(slot.gpa());
    lastFound = null;
    vm.mmioPages().slotsChanged();
  }
}
