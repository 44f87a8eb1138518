package dev.iolite.kvm;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.kvm_tpr_access_ctl;
import dev.iolite.uapi.kvm.kvm_vapic_addr;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * How a VMM speeds up guests that change the task priority of their local APIC very often, on
 * processors that can't do that themselves. Made by {@link Vcpu#taskPriority}.
 *
 * <p>Like its vCPU, for use by one thread at a time.
 */
public final class TaskPriority {
  private final Fd vcpu;

  TaskPriority(Fd vcpu) {
    this.vcpu = vcpu;
  }

  /**
   * Has each access to the task priority leave the guest, by an exit with reason {@link
   * ExitReason#TPR_ACCESS}.
   *
   * <p>KVM_TPR_ACCESS_REPORTING, arch/x86/kvm/x86.c:vcpu_ioctl_tpr_access_reporting.
   */
  public void reportAccesses(boolean on) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = kvm_tpr_access_ctl.allocate(arena);
      kvm_tpr_access_ctl.enabled(argument, on ? 1 : 0);
      vcpu.ioctl(KvmIoctls.KVM_TPR_ACCESS_REPORTING, argument);
    }
  }

  /**
   * Sets where the guest keeps its task priority in memory.
   *
   * <p>KVM_SET_VAPIC_ADDR, arch/x86/kvm/lapic.c:kvm_lapic_set_vapic_addr.
   *
   * @param gpa the guest-physical address of 32 bits in a slot; 0 for nowhere
   * @throws KernelException EINVAL: KVM does not have the local APIC, or there is no slot
   */
  public void setAddress(long gpa) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = kvm_vapic_addr.allocate(arena);
      kvm_vapic_addr.vapic_addr(argument, gpa);
      vcpu.ioctl(KvmIoctls.KVM_SET_VAPIC_ADDR, argument);
    }
  }
}
