package dev.iolite.kvm;

import java.util.EnumSet;
import java.util.Set;

/**
 * A range of guest-physical addresses, backed by memory of this process, by private memory, or by
 * both. Made by {@link Vm#addSlot} and {@link Vm#addPrivateSlot}; closing it deletes it from the
 * VM.
 *
 * <p>The kernel follows the process's mappings: the guest gets what is mapped at the host address
 * when it accesses the slot. So the mapping must outlive the slot.
 *
 * <p>Safe for use by several threads.
 */
public final class MemorySlot implements AutoCloseable {
  private final Vm vm;
  private final int number;
  private final long bytes;
  private final long hostAddress;

  /** Changed under the VM's lock, together with the kernel's. */
  private volatile Place place;

  /** What can change of a slot. */
  record Place(long gpa, Set<SlotFlag> flags) {}

  MemorySlot(Vm vm, int number, long gpa, long bytes, long hostAddress, Set<SlotFlag> flags) {
    this.vm = vm;
    this.number = number;
    this.bytes = bytes;
    this.hostAddress = hostAddress;
    place = new Place(gpa, flags);
  }

  /** The slot's number, unique among the VM's current slots. */
  public int number() {
    return number;
  }

  /** The first guest-physical address. */
  public long gpa() {
    return place.gpa;
  }

  /** The length in bytes. */
  public long bytes() {
    return bytes;
  }

  /** Where its shared memory is mapped in this process; 0 for nowhere. */
  public long hostAddress() {
    return hostAddress;
  }

  /** The flags that it has. */
  public Set<SlotFlag> flags() {
    return place.flags;
  }

  Place place() {
    return place;
  }

  void isAt(Place changed) {
    place = changed;
  }

  /** Whether a guest-physical address is in the slot. */
  public boolean contains(long address) {
    return Long.compareUnsigned(address - place.gpa, bytes) < 0;
  }

  /** Whether the VM still has the slot. */
  public boolean exists() {
    return vm.owns(this);
  }

  /**
   * Moves the slot. The guest sees its memory at the new address.
   *
   * <p>KVM_SET_USER_MEMORY_REGION, virt/kvm/kvm_main.c:kvm_set_memory_region, KVM_MR_MOVE.
   *
   * @param to the first guest-physical address from now on, a multiple of the page size
   * @throws dev.iolite.kernel.KernelException EEXIST: overlaps another slot; EINVAL: no multiple of
   *     the page size, or the slot has private memory
   * @throws IllegalStateException if the slot is deleted
   */
  public void moveTo(long to) {
    vm.changeSlot(this, before -> new Place(to, before.flags));
  }

  /**
   * Starts or stops recording which pages of the slot the guest writes.
   *
   * <p>KVM_SET_USER_MEMORY_REGION, virt/kvm/kvm_main.c:kvm_set_memory_region, KVM_MR_FLAGS_ONLY,
   * which is the only flag of a slot that can change.
   *
   * @throws dev.iolite.kernel.KernelException EINVAL: the slot has private memory
   * @throws IllegalStateException if the slot is deleted
   */
  public void logDirtyPages(boolean on) {
    vm.changeSlot(
        this,
        before -> {
          Set<SlotFlag> flags = EnumSet.noneOf(SlotFlag.class);
          flags.addAll(before.flags);
          if (on) {
            flags.add(SlotFlag.LOG_DIRTY_PAGES);
          } else {
            flags.remove(SlotFlag.LOG_DIRTY_PAGES);
          }
          return new Place(before.gpa, Set.copyOf(flags));
        });
  }

  /**
   * Deletes the slot, once. Closing the VM deletes it too.
   *
   * <p>KVM_SET_USER_MEMORY_REGION with size 0, virt/kvm/kvm_main.c:kvm_set_memory_region.
   *
   * @throws dev.iolite.kernel.KernelException what the kernel said; the slot counts as deleted
   */
  @Override
  public void close() {
    vm.deleteSlot(this);
  }

  @Override
  public String toString() {
    Place now = place;
    return "memory slot "
        + number
        + " [0x"
        + Long.toHexString(now.gpa)
        + ", +0x"
        + Long.toHexString(bytes)
        + ")"
        + (now.flags.isEmpty() ? "" : " " + now.flags);
  }
}
