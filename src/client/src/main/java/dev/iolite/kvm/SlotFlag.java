package dev.iolite.kvm;

import dev.iolite.uapi.kvm.Kvm;

/** How a memory slot behaves: the flags of KVM_SET_USER_MEMORY_REGION. */
public enum SlotFlag {
  /** KVM records which pages the guest writes. */
  LOG_DIRTY_PAGES(Kvm.KVM_MEM_LOG_DIRTY_PAGES()),
  /** A write by the guest exits as MMIO instead of reaching the memory. */
  READONLY(Kvm.KVM_MEM_READONLY()),
  /** The slot has private memory, which is in a guest_memfd. */
  GUEST_MEMFD(Kvm.KVM_MEM_GUEST_MEMFD());

  private final int bit;

  SlotFlag(long bit) {
    this.bit = Math.toIntExact(bit);
  }

  int bit() {
    return bit;
  }
}
