package dev.iolite.mock.kvm;

import dev.iolite.mock.core.Ram;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_dirty_gfn;
import java.lang.foreign.MemorySegment;

/** The ring of the pages that a vCPU has written (struct kvm_dirty_ring). */
final class VcpuDirtyRing {
  private static final int DIRTY = (int) Kvm.KVM_DIRTY_GFN_F_DIRTY();
  private static final int RESET = (int) Kvm.KVM_DIRTY_GFN_F_RESET();

  /** include/linux/kvm_host.h: KVM_DIRTY_RING_RSVD_ENTRIES. */
  private static final int RESERVED = 64;

  private final Ram pages;
  private final int entries;
  private int pushed;
  private int taken;

  VcpuDirtyRing(Ram pages) {
    this.pages = pages;
    entries = (int) (pages.bytes() / kvm_dirty_gfn.sizeof());
  }

  Ram pages() {
    return pages;
  }

  private MemorySegment entry(int index) {
    return kvm_dirty_gfn.asSlice(pages.segment(), index & (entries - 1));
  }

  /** virt/kvm/dirty_ring.c:kvm_dirty_ring_push. */
  void push(int slot, long page) {
    MemorySegment entry = entry(pushed++);
    kvm_dirty_gfn.slot(entry, slot);
    kvm_dirty_gfn.offset(entry, page);
    kvm_dirty_gfn.flags(entry, DIRTY);
  }

  /** virt/kvm/dirty_ring.c:kvm_dirty_ring_soft_full: the vCPU must not run. */
  boolean isFull() {
    return pushed - taken >= entries - RESERVED;
  }

  /** virt/kvm/dirty_ring.c:kvm_dirty_ring_reset. */
  int reset(KvmVm vm) {
    int count = 0;
    while ((kvm_dirty_gfn.flags(entry(taken)) & RESET) != 0) {
      MemorySegment entry = entry(taken++);
      kvm_dirty_gfn.flags(entry, 0);
      int slot = kvm_dirty_gfn.slot(entry);
      long page = kvm_dirty_gfn.offset(entry);
      vm.slots().of(slot).ifPresent(its -> its.protect(page));
      count++;
    }
    return count;
  }
}
