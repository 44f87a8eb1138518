package dev.iolite.kvm;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.kvm_coalesced_mmio_zone;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Ranges in which the guest's writes go into a ring, which is read at the next exit, instead of
 * each being an exit. Made by {@link Vm#coalescedIo}; the ring is {@link Vcpu#coalescedRing}.
 *
 * <p>Safe for use by several threads.
 */
public final class CoalescedIo {
  private final Fd vm;

  CoalescedIo(Fd vm) {
    this.vm = vm;
  }

  /**
   * Puts writes to a range of guest-physical addresses into the ring, where no slot is.
   *
   * <p>KVM_REGISTER_COALESCED_MMIO, virt/kvm/coalesced_mmio.c:kvm_vm_ioctl_register_coalesced_mmio.
   *
   * @throws KernelException ENOSPC: the VM has no room for another range; ENOMEM
   */
  public void addMemory(long gpa, int bytes) {
    make(KvmIoctls.KVM_REGISTER_COALESCED_MMIO, gpa, bytes, false);
  }

  /**
   * Puts writes to ports into the ring.
   *
   * <p>KVM_REGISTER_COALESCED_MMIO with {@code pio}, since Linux 5.0 ({@link
   * Capability#COALESCED_PIO}).
   *
   * @throws KernelException ENOSPC: the VM has no room for another range; ENOMEM
   */
  public void addPorts(int port, int count) {
    make(KvmIoctls.KVM_REGISTER_COALESCED_MMIO, port, count, true);
  }

  /**
   * Makes writes exits again in the ranges of memory that contain this one.
   *
   * <p>KVM_UNREGISTER_COALESCED_MMIO,
   * virt/kvm/coalesced_mmio.c:kvm_vm_ioctl_unregister_coalesced_mmio. It succeeds without any, too.
   */
  public void removeMemory(long gpa, int bytes) {
    make(KvmIoctls.KVM_UNREGISTER_COALESCED_MMIO, gpa, bytes, false);
  }

  /** Makes writes exits again in the ranges of ports that contain this one. */
  public void removePorts(int port, int count) {
    make(KvmIoctls.KVM_UNREGISTER_COALESCED_MMIO, port, count, true);
  }

  private void make(Ioctl call, long address, int size, boolean ports) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment zone = kvm_coalesced_mmio_zone.allocate(arena);
      kvm_coalesced_mmio_zone.addr(zone, address);
      kvm_coalesced_mmio_zone.size(zone, size);
      kvm_coalesced_mmio_zone.pio(zone, ports ? 1 : 0);
      vm.ioctl(call, zone);
    }
  }
}
