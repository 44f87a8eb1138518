package dev.iolite.kvm;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_debugregs;
import dev.iolite.uapi.kvm.kvm_guest_debug;
import dev.iolite.uapi.kvm.kvm_guest_debug_arch;
import dev.iolite.uapi.kvm.kvm_translation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Debugs the guest of a vCPU. Made by {@link Vcpu#debug}.
 *
 * <p>Like its vCPU, for use by one thread at a time.
 */
public final class VcpuDebug {
  private static final int DR7 = 7;

  private final Fd vcpu;

  VcpuDebug(Fd vcpu) {
    this.vcpu = vcpu;
  }

  /**
   * The guest's own debug registers.
   *
   * <p>KVM_GET_DEBUGREGS, arch/x86/kvm/regs.c:kvm_vcpu_ioctl_x86_get_debugregs.
   *
   * @throws KernelException EINVAL: the guest's state is protected from the host
   */
  public DebugRegisters registers() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment registers = kvm_debugregs.allocate(arena);
      vcpu.ioctl(KvmIoctls.KVM_GET_DEBUGREGS, registers);
      return DebugRegisters.of(registers);
    }
  }

  /**
   * Sets the guest's own debug registers.
   *
   * <p>KVM_SET_DEBUGREGS, arch/x86/kvm/regs.c:kvm_vcpu_ioctl_x86_set_debugregs.
   *
   * @throws KernelException EINVAL: a bit above 31 of DR6 or DR7 is set, or the guest's state is
   *     protected from the host
   */
  public void setRegisters(DebugRegisters registers) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = kvm_debugregs.allocate(arena);
      registers.store(argument);
      vcpu.ioctl(KvmIoctls.KVM_SET_DEBUGREGS, argument);
    }
  }

  /**
   * Has the guest leave for the debugger, by an exit with reason {@link ExitReason#DEBUG}.
   *
   * <p>KVM_SET_GUEST_DEBUG, arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl_set_guest_debug.
   *
   * @param flags when it leaves
   * @throws KernelException EBUSY: an exception is to be injected while another one is on its way;
   *     EINVAL: the guest's state is protected from the host
   */
  public void enable(Set<GuestDebugFlag> flags) {
    enable(flags, 0);
  }

  /**
   * Like {@link #enable(Set)}, with the host's hardware breakpoints.
   *
   * @param flags when it leaves, with {@link GuestDebugFlag#HARDWARE_BREAKPOINTS}
   * @param dr7 which breakpoints are enabled, and what triggers them
   * @param addresses where the breakpoints are, up to 4
   */
  public void enable(Set<GuestDebugFlag> flags, long dr7, long... addresses) {
    int control =
        flags.stream()
            .mapToInt(GuestDebugFlag::bit)
            .reduce(Kvm.KVM_GUESTDBG_ENABLE(), (a, b) -> a | b);
    set(control, dr7, addresses);
  }

  /** Lets the guest run undisturbed again. */
  public void disable() {
    set(0, 0);
  }

  private void set(int control, long dr7, long... addresses) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = kvm_guest_debug.allocate(arena);
      kvm_guest_debug.control(argument, control);
      MemorySegment registers = kvm_guest_debug.arch(argument);
      for (int i = 0; i < addresses.length; i++) {
        kvm_guest_debug_arch.debugreg(registers, i, addresses[i]);
      }
      kvm_guest_debug_arch.debugreg(registers, DR7, dr7);
      vcpu.ioctl(KvmIoctls.KVM_SET_GUEST_DEBUG, argument);
    }
  }

  /**
   * Looks an address up in the guest's page tables.
   *
   * <p>KVM_TRANSLATE, arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl_translate.
   *
   * @param linear the guest's linear address
   * @return the guest-physical address; empty if the page tables have none
   */
  public OptionalLong translate(long linear) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment translation = kvm_translation.allocate(arena);
      kvm_translation.linear_address(translation, linear);
      vcpu.ioctl(KvmIoctls.KVM_TRANSLATE, translation);
      return kvm_translation.valid(translation) == 0
          ? OptionalLong.empty()
          : OptionalLong.of(kvm_translation.physical_address(translation));
    }
  }
}
