package dev.iolite.mock.kvm;

import dev.iolite.kernel.Page;
import dev.iolite.mock.core.Memory;
import dev.iolite.uapi.kvm.Kvm;
import java.util.BitSet;
import java.util.Optional;

/** A range of guest-physical addresses and what is behind it (struct kvm_memory_slot). */
final class KvmMemorySlot {
  final int addressSpace;
  final int id;
  final long bytes;
  final long hostAddress;

  /**
   * The process's memory at {@link #hostAddress}: whatever is mapped there at the time of an
   * access.
   */
  final Memory shared;

  private long gpa;
  private int flags;

  /** The dirty pages, while they are logged. */
  private Optional<BitSet> dirty = Optional.empty();

  /** The pages that a guest has reached through the slot. */
  private final BitSet mapped = new BitSet();

  /** Empty if the slot has none, or if the file has been closed. */
  private Optional<GuestMemfdFile> guestMemfd = Optional.empty();

  private Optional<SlotDmaBuf> dmaBuf = Optional.empty();

  private long guestMemfdOffset;
  private boolean guestMemfdOnly;

  KvmMemorySlot(
      int addressSpace,
      int id,
      long gpa,
      long bytes,
      int flags,
      long hostAddress,
      Memory shared,
      boolean allDirty) {
    this.addressSpace = addressSpace;
    this.id = id;
    this.gpa = gpa;
    this.bytes = bytes;
    this.hostAddress = hostAddress;
    this.shared = shared;
    setFlags(flags, allDirty);
  }

  long gpa() {
    return gpa;
  }

  long end() {
    return gpa + bytes;
  }

  boolean contains(long address) {
    return Long.compareUnsigned(address - gpa, bytes) < 0;
  }

  int flags() {
    return flags;
  }

  boolean readOnly() {
    return (flags & Kvm.KVM_MEM_READONLY()) != 0;
  }

  boolean hasGuestMemfd() {
    return (flags & Kvm.KVM_MEM_GUEST_MEMFD()) != 0;
  }

  Optional<GuestMemfdFile> guestMemfd() {
    return guestMemfd;
  }

  long guestMemfdOffset() {
    return guestMemfdOffset;
  }

  /** KVM_MEMSLOT_GMEM_ONLY: shared accesses go to the guest_memfd too. */
  boolean guestMemfdOnly() {
    return guestMemfdOnly;
  }

  /** Its dma-buf; empty if it has none. */
  Optional<SlotDmaBuf> dmaBuf() {
    return dmaBuf;
  }

  void setDmaBuf(SlotDmaBuf its) {
    dmaBuf = Optional.of(its);
  }

  void moveTo(long newGpa) {
    gpa = newGpa;
    mapped.clear();
  }

  /** virt/kvm/kvm_main.c:kvm_prepare_memory_region, the part about the dirty bitmap. */
  void setFlags(int newFlags, boolean allDirty) {
    if ((newFlags & Kvm.KVM_MEM_LOG_DIRTY_PAGES()) == 0) {
      dirty = Optional.empty();
    } else if (dirty.isEmpty()) {
      BitSet pages = new BitSet();
      if (allDirty) {
        pages.set(0, pages());
      }
      dirty = Optional.of(pages);
    }
    flags = newFlags;
  }

  int pages() {
    return (int) (bytes / Page.BYTES);
  }

  Optional<BitSet> dirty() {
    return dirty;
  }

  /**
   * Called when a guest accesses a page. The first access maps it, writable if possible, so that it
   * counts as written even if it was only read (arch/x86/kvm/mmu/spte.c:make_spte).
   *
   * @return whether that is a page that was clean
   */
  boolean accessed(long address, boolean write) {
    int page = (int) ((address - gpa) / Page.BYTES);
    boolean first = !mapped.get(page);
    if (first) {
      mapped.set(page);
    }
    boolean isNew =
        dirty.isPresent() && !dirty.get().get(page) && (write || (first && !readOnly()));
    if (isNew) {
      dirty.get().set(page);
    }
    return isNew;
  }

  /** kvm_arch_mmu_enable_log_dirty_pt_masked: a later write to the page is recorded again. */
  void protect(long page) {
    if (dirty.isPresent() && page >= 0 && page < pages()) {
      dirty.get().clear((int) page);
    }
  }

  void bind(GuestMemfdFile file, long offset) {
    guestMemfd = Optional.of(file);
    guestMemfdOffset = offset;
    guestMemfdOnly = file.canBeMapped();
  }

  /** Called when the file is closed or the slot deleted; the slot remains one with guest_memfd. */
  void unbind() {
    guestMemfd = Optional.empty();
  }
}
