package dev.iolite.kvm;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.kvm_interrupt;
import dev.iolite.uapi.kvm.kvm_vcpu_events;
import dev.iolite.uapi.kvm.kvm_x86_mce;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Gives a vCPU interrupts and exceptions. Made by {@link Vcpu#injection}.
 *
 * <p>Like its vCPU, for use by one thread at a time.
 */
public final class VcpuInjection {
  private final Fd vcpu;

  VcpuInjection(Fd vcpu) {
    this.vcpu = vcpu;
  }

  /**
   * What is on its way to the guest.
   *
   * <p>KVM_GET_VCPU_EVENTS, arch/x86/kvm/x86.c:kvm_vcpu_ioctl_x86_get_vcpu_events.
   */
  public VcpuEvents events() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment events = kvm_vcpu_events.allocate(arena);
      vcpu.ioctl(KvmIoctls.KVM_GET_VCPU_EVENTS, events);
      return VcpuEvents.of(events);
    }
  }

  /**
   * Replaces what is on its way to the guest.
   *
   * <p>KVM_SET_VCPU_EVENTS, arch/x86/kvm/x86.c:kvm_vcpu_ioctl_x86_set_vcpu_events.
   *
   * @throws KernelException EINVAL: the exception's vector is 2 or more than 31, a pending
   *     exception without {@link Capability#EXCEPTION_PAYLOAD}, or a triple fault without {@link
   *     Capability#X86_TRIPLE_FAULT_EVENT}
   */
  public void setEvents(VcpuEvents events) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = kvm_vcpu_events.allocate(arena);
      events.store(argument);
      vcpu.ioctl(KvmIoctls.KVM_SET_VCPU_EVENTS, argument);
    }
  }

  /**
   * Queues an interrupt of an interrupt controller that the VMM has. If KVM has the local APICs
   * ({@link Capability#SPLIT_IRQCHIP}), it is one of the 8259's.
   *
   * <p>KVM_INTERRUPT, arch/x86/kvm/x86.c:kvm_vcpu_ioctl_interrupt.
   *
   * @param vector its vector, 0 to 255
   * @throws KernelException EINVAL: no such vector; ENXIO: KVM has the 8259, too; EEXIST: one
   *     already waits
   */
  public void interrupt(int vector) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = kvm_interrupt.allocate(arena);
      kvm_interrupt.irq(argument, vector);
      vcpu.ioctl(KvmIoctls.KVM_INTERRUPT, argument);
    }
  }

  /**
   * Queues a non-maskable interrupt. With another one that waits, at most two do.
   *
   * <p>KVM_NMI, arch/x86/kvm/x86.c:kvm_vcpu_ioctl_nmi.
   */
  public void nmi() {
    vcpu.ioctl(KvmIoctls.KVM_NMI, 0);
  }

  /**
   * Queues a system management interrupt.
   *
   * <p>KVM_SMI, since Linux 4.2, arch/x86/kvm/smm.h:kvm_inject_smi.
   *
   * @throws KernelException EINVAL or ENOTTY: the kernel or the VM has no system management mode
   */
  public void smi() {
    vcpu.ioctl(KvmIoctls.KVM_SMI, 0);
  }

  /**
   * Gives the vCPU banks for machine checks.
   *
   * <p>KVM_X86_SETUP_MCE, arch/x86/kvm/x86.c:kvm_vcpu_ioctl_x86_setup_mce.
   *
   * @param mcgCap IA32_MCG_CAP: the number of banks in the lowest byte, 1 to what {@link
   *     Capability#MCE} says, and features of those in {@link Kvm#machineCheckFeatures}
   * @throws KernelException EINVAL: no banks, too many, or a feature that KVM does not have
   */
  public void setUpMachineChecks(long mcgCap) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = arena.allocateFrom(ValueLayout.JAVA_LONG, mcgCap);
      vcpu.ioctl(KvmIoctls.KVM_X86_SETUP_MCE, argument);
    }
  }

  /**
   * Reports a machine check in a bank; an uncorrected one also raises the exception.
   *
   * <p>KVM_X86_SET_MCE, arch/x86/kvm/x86.c:kvm_vcpu_ioctl_x86_set_mce.
   *
   * @throws KernelException EINVAL: no such bank, or the status is not marked valid (bit 63)
   */
  public void machineCheck(MachineCheck check) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = kvm_x86_mce.allocate(arena);
      kvm_x86_mce.bank(argument, (byte) check.bank());
      kvm_x86_mce.status(argument, check.status());
      kvm_x86_mce.addr(argument, check.address());
      kvm_x86_mce.misc(argument, check.misc());
      kvm_x86_mce.mcg_status(argument, check.mcgStatus());
      vcpu.ioctl(KvmIoctls.KVM_X86_SET_MCE, argument);
    }
  }
}
