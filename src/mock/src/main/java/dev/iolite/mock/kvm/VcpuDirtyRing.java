package dev.iolite.mock.kvm;

import dev.iolite.mock.core.Ram;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_dirty_gfn;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/** The ring of the pages that a vCPU has written (struct kvm_dirty_ring). */
final class VcpuDirtyRing {
  private static final VarHandle FLAGS = ValueLayout.JAVA_INT.varHandle();
  private static final long FLAGS_AT = kvm_dirty_gfn.flags$offset();
  private static final int DIRTY = (int) Kvm.KVM_DIRTY_GFN_F_DIRTY();
  private static final int RESET = (int) Kvm.KVM_DIRTY_GFN_F_RESET();

  /** virt/kvm/dirty_ring.c:kvm_dirty_ring_soft_full: so many are left when the vCPU leaves. */
  private final int reserved;

  private final Ram pages;
  private final int entries;
  private int pushed;
  private int taken;

  VcpuDirtyRing(Ram pages, int reserved) {
    this.pages = pages;
    this.reserved = reserved;
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
    // Whoever harvests, without the model's lock, sees the page when it sees the flag.
    FLAGS.setRelease(entry, FLAGS_AT, DIRTY);
  }

  /** virt/kvm/dirty_ring.c:kvm_dirty_ring_soft_full: the vCPU must not run. */
  boolean isFull() {
    return pushed - taken >= entries - reserved;
  }

  /** virt/kvm/dirty_ring.c:kvm_dirty_ring_reset. */
  int reset(KvmVm vm) {
    int count = 0;
    while (((int) FLAGS.getAcquire(entry(taken), FLAGS_AT) & RESET) != 0) {
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
