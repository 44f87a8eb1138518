package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Memory;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How a vCPU's accesses reach memory: arch/x86/kvm/mmu/mmu.c:kvm_mmu_faultin_pfn. The model keeps
 * no page tables for what the VM's owner maps: each access is resolved anew.
 *
 * <p>An access does not cross a page boundary.
 */
final class GuestMemory {
  private final KvmVm vm;
  private final KvmRun run;
  private final Optional<VcpuDirtyRing> dirtyRing;

  GuestMemory(KvmVm vm, KvmRun run, Optional<VcpuDirtyRing> dirtyRing) {
    this.vm = vm;
    this.run = run;
    this.dirtyRing = dirtyRing;
  }

  /**
   * The kind of an access if the guest does not state it: that of the page's attribute, unless KVM
   * has already found that the page is MMIO, which is shared
   * (arch/x86/kvm/mmu/mmu.c:kvm_mmu_page_fault).
   */
  boolean isPrivate(long gpa) {
    return !vm.mmioPages().contains(gpa)
        && (vm.vendor().memoryKey().isPresent() || vm.attributes().isPrivate(gpa));
  }

  /**
   * Reads what a guest reaches at an address.
   *
   * @return false if nothing is there, so that the access is MMIO, for the VM's owner to answer
   * @throws dev.iolite.mock.core.Refused EFAULT, which KVM_RUN returns, usually with an explanation
   *     in kvm_run
   */
  boolean read(long gpa, MemorySegment into, boolean isPrivate) {
    Optional<SevKey> key = keyOf(isPrivate);
    Memory behind = reach(gpa, isPrivate && key.isEmpty(), false);
    if (behind == null) {
      return false;
    }
    try {
      behind.read(offset, into);
      key.ifPresent(its -> its.crypt(gpa, into));
      vm.mmioPages().remove(gpa);
      return true;
    } catch (Memory.Unreachable e) {
      // kvm_handle_error_pfn gives no explanation.
      throw refused(Errno.EFAULT);
    }
  }

  /** Writes; fails as {@link #read} does. */
  boolean write(long gpa, MemorySegment from, boolean isPrivate) {
    Optional<SevKey> key = keyOf(isPrivate);
    Memory behind = reach(gpa, isPrivate && key.isEmpty(), true);
    if (behind == null) {
      return false;
    }
    try {
      behind.write(offset, key.map(its -> its.crypted(gpa, from)).orElse(from));
      vm.mmioPages().remove(gpa);
      return true;
    } catch (Memory.Unreachable e) {
      throw refused(Errno.EFAULT);
    }
  }

  /** With SEV, what a guest calls private is memory of its owner, encrypted by the guest's key. */
  private Optional<SevKey> keyOf(boolean isPrivate) {
    return isPrivate ? vm.vendor().memoryKey() : Optional.empty();
  }

  /**
   * Maps a page before it is needed; arch/x86/kvm/mmu/mmu.c:kvm_arch_vcpu_pre_fault_memory.
   *
   * @throws dev.iolite.mock.core.Refused ENOENT: an access would be MMIO; EFAULT
   */
  void preFault(long gpa) {
    Memory behind = find(gpa, vm.attributes().isPrivate(gpa), false);
    if (behind == null) {
      throw refused(Errno.ENOENT);
    }
    KvmMemorySlot slot = vm.slots().at(gpa);
    if (slot != null && behind.equals(slot.shared)) {
      // A device's registers are mapped without being read.
      if (vm.task().memory().registers(slot.hostAddress + offset).isEmpty()) {
        try {
          behind.read(offset, MemorySegment.ofArray(new byte[1]));
        } catch (Memory.Unreachable e) {
          throw refused(Errno.EFAULT);
        }
      }
    }
    vm.mmioPages().remove(gpa);
  }

  /** The offset of the address in what {@link #find} found. */
  private long offset;

  /** Does what {@link #find} does, unless the page is already known to be MMIO. */
  private @Nullable Memory reach(long gpa, boolean isPrivate, boolean write) {
    return !isPrivate && vm.mmioPages().isCurrent(gpa) ? null : find(gpa, isPrivate, write);
  }

  private @Nullable Memory find(long gpa, boolean isPrivate, boolean write) {
    if (isPrivate != vm.attributes().isPrivate(gpa)) {
      throw fault(gpa, isPrivate);
    }
    KvmMemorySlot slot = vm.slots().at(gpa);
    if (slot != null && slot.dmaBuf().isPresent()) {
      SlotDmaBuf dmaBuf = slot.dmaBuf().get();
      boolean serves = dmaBuf.use().isPrivate() == isPrivate;
      if (dmaBuf.use().only() && !serves) {
        throw fault(gpa, isPrivate);
      }
      if (serves) {
        return dmaBuf(slot, dmaBuf, gpa, isPrivate);
      }
    }
    PrivateMappings.Mapping mapping = vm.privateMappings().at(gpa);
    if (mapping != null) {
      if (!isPrivate && vm.mapsBySlots()) {
        throw fault(gpa, false);
      }
      if (isPrivate) {
        requireReach(mapping, gpa);
        offset = mapping.offset() + (gpa - mapping.gpa());
        return mapping.memory();
      }
    }
    if (slot == null) {
      if (isPrivate) {
        throw fault(gpa, true);
      }
      vm.mmioPages().add(gpa);
      return null;
    }
    if (isPrivate || slot.guestMemfdOnly()) {
      GuestMemfdFile file = slot.guestMemfd().orElseThrow(() -> fault(gpa, isPrivate));
      offset = slot.guestMemfdOffset() + (gpa - slot.gpa());
      return file.pages();
    }
    if (write && slot.readOnly()) {
      return null;
    }
    if (slot.accessed(gpa, write) && dirtyRing.isPresent()) {
      dirtyRing.get().push(slot.id, (gpa - slot.gpa()) >>> 12);
    }
    offset = gpa - slot.gpa();
    return slot.shared;
  }

  /**
   * A proposal's slot: if the dma-buf is revoked, the exit is explained and KVM_RUN returns EIO.
   */
  private Memory dmaBuf(KvmMemorySlot slot, SlotDmaBuf dmaBuf, long gpa, boolean isPrivate) {
    if (dmaBuf.isRevoked()) {
      throw revoked(gpa, isPrivate);
    }
    if (dmaBuf.isMute()) {
      throw fault(gpa, isPrivate);
    }
    offset = dmaBuf.offset() + (gpa - slot.gpa());
    return dmaBuf.memory();
  }

  private void requireReach(PrivateMappings.Mapping mapping, long gpa) {
    switch (mapping.reach().get()) {
      case OPEN -> {}
      case MUTE -> throw fault(gpa, true);
      case REVOKED -> throw revoked(gpa, true);
    }
  }

  private RuntimeException revoked(long gpa, boolean isPrivate) {
    run.memoryFault(gpa, isPrivate);
    return refused(Errno.EIO);
  }

  private RuntimeException fault(long gpa, boolean isPrivate) {
    run.memoryFault(gpa, isPrivate);
    return refused(Errno.EFAULT);
  }
}
