package dev.iolite.kvm;

import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Page;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_clear_dirty_log;
import dev.iolite.uapi.kvm.kvm_dirty_log;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Which pages the guest has written: of slots with {@link SlotFlag#LOG_DIRTY_PAGES}, in a bitmap
 * for each slot, or in a ring for each vCPU. Made by {@link Vm#dirtyLog}.
 *
 * <p>Safe for use by several threads.
 */
public final class VmDirtyLog {
  private final Vm vm;

  VmDirtyLog(Vm vm) {
    this.vm = vm;
  }

  /**
   * Leaves the pages that {@link #get} has reported marked as dirty until {@link #clear} is called,
   * so that they can be write-protected a few at a time.
   *
   * <p>KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, virt/kvm/kvm_main.c:kvm_vm_ioctl_enable_cap_generic.
   *
   * @param startsSet whether all pages of a slot are dirty at first, which saves their protection
   *     when logging starts
   * @throws KernelException EINVAL: the kernel does not support it
   */
  public void protectManually(boolean startsSet) {
    int start = startsSet ? Kvm.KVM_DIRTY_LOG_INITIALLY_SET() : 0;
    vm.enable(
        Capability.MANUAL_DIRTY_LOG_PROTECT2, Kvm.KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE() | start);
  }

  /**
   * How large the bitmap of a slot is, in bytes: a bit for each page, rounded up to whole longs.
   */
  public static long bitmapBytes(MemorySlot slot) {
    long pages = slot.bytes() / Page.BYTES;
    return (pages + Long.SIZE - 1) / Long.SIZE * Long.BYTES;
  }

  /**
   * Reports the pages that the guest has written since the last call, and starts over; with {@link
   * #protectManually}, without starting over.
   *
   * <p>KVM_GET_DIRTY_LOG, virt/kvm/kvm_main.c:kvm_get_dirty_log_protect.
   *
   * @param bitmap native memory for a bit for each page, of {@link #bitmapBytes} or more
   * @throws KernelException ENOENT: the slot does not log, or is deleted; ENXIO: the VM has rings
   * @throws IllegalArgumentException if the bitmap is too small
   */
  public void get(MemorySlot slot, MemorySegment bitmap) {
    requireRoom(bitmap, bitmapBytes(slot));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = kvm_dirty_log.allocate(arena);
      kvm_dirty_log.slot(argument, slot.number());
      kvm_dirty_log.dirty_bitmap(argument, bitmap);
      vm.fd().ioctl(KvmIoctls.KVM_GET_DIRTY_LOG, argument);
    }
  }

  /**
   * Marks pages as clean, and reports later writes to them again.
   *
   * <p>KVM_CLEAR_DIRTY_LOG, since Linux 5.0, virt/kvm/kvm_main.c:kvm_clear_dirty_log_protect.
   *
   * @param firstPage the first page of the slot that the bitmap is for, a multiple of 64
   * @param pages how many pages it is for: a multiple of 64, unless they are the slot's last
   * @param bitmap native memory with the bits of the pages to be cleared
   * @throws KernelException EINVAL: not a multiple of 64, or beyond the slot; ENOENT: the slot does
   *     not log, or is deleted; ENXIO: the VM has rings
   * @throws IllegalArgumentException if the bitmap is too small
   */
  public void clear(MemorySlot slot, long firstPage, int pages, MemorySegment bitmap) {
    requireRoom(bitmap, (pages + Long.SIZE - 1L) / Long.SIZE * Long.BYTES);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = kvm_clear_dirty_log.allocate(arena);
      kvm_clear_dirty_log.slot(argument, slot.number());
      kvm_clear_dirty_log.first_page(argument, firstPage);
      kvm_clear_dirty_log.num_pages(argument, pages);
      kvm_clear_dirty_log.dirty_bitmap(argument, bitmap);
      vm.fd().ioctl(KvmIoctls.KVM_CLEAR_DIRTY_LOG, argument);
    }
  }

  private static void requireRoom(MemorySegment bitmap, long bytes) {
    if (bitmap.byteSize() < bytes || !bitmap.isNative()) {
      throw new IllegalArgumentException(
          "the kernel reaches %d bytes of the bitmap; this is %s".formatted(bytes, bitmap));
    }
  }

  /**
   * Gives each vCPU that is made from now on a ring of the pages that it writes ({@link
   * Vcpu#dirtyRing}), in place of the bitmaps.
   *
   * <p>KVM_CAP_DIRTY_LOG_RING, since Linux 5.11,
   * virt/kvm/kvm_main.c:kvm_vm_ioctl_enable_dirty_log_ring.
   *
   * @param bytes the size of a ring, a power of 2, from a page on, with Intel's page-modification
   *     logging from 16 KiB on; at most what {@link Capability#DIRTY_LOG_RING} says. An entry has
   *     16 bytes
   * @throws KernelException EINVAL: such a size is impossible, or the VM has vCPUs or rings
   *     already; E2BIG: too large
   */
  public void enableRings(int bytes) {
    vm.enable(Capability.DIRTY_LOG_RING, bytes);
    vm.dirtyRingsEnabled(bytes);
  }

  /**
   * Frees the entries that were harvested, and reports later writes to their pages again.
   *
   * <p>KVM_RESET_DIRTY_RINGS, since Linux 5.11, virt/kvm/dirty_ring.c:kvm_dirty_ring_reset. A
   * signal ends it early, which the kernel does not report, so it is repeated until it has twice
   * found nothing left: the first time, a signal may have been pending. Call it where no signal
   * comes, not while a run is under way: the kernel may forget to report later writes to the pages
   * that it had just counted when the signal came.
   *
   * @return how many there were, in all rings of the VM
   * @throws KernelException EINVAL: the VM has no rings
   */
  public int resetRings() {
    int all = 0;
    int idle = 0;
    while (idle < 2) {
      int reset = vm.fd().ioctl(KvmIoctls.KVM_RESET_DIRTY_RINGS, 0);
      idle = reset == 0 ? idle + 1 : 0;
      all += reset;
    }
    return all;
  }
}
