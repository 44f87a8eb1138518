package dev.iolite.kvm;

import dev.iolite.uapi.kvm.Kvm;

/**
 * The name of a register for {@link OneRegisters}.
 *
 * @param number the kernel's, with the architecture, the size and the kind of register
 */
public record RegisterId(long number) {
  private static final int TYPE_SHIFT = 32;

  /** The guest's shadow stack pointer. */
  public static final RegisterId GUEST_SSP =
      of(Kvm.KVM_X86_REG_TYPE_KVM(), Kvm.KVM_REG_GUEST_SSP());

  /** A model-specific register. */
  public static RegisterId msr(int index) {
    return of(Kvm.KVM_X86_REG_TYPE_MSR(), index);
  }

  /** KVM_X86_REG_ID of asm/kvm.h. */
  private static RegisterId of(int type, int index) {
    return new RegisterId(
        Kvm.KVM_REG_X86()
            | Kvm.KVM_REG_SIZE_U64()
            | (long) type << TYPE_SHIFT
            | Integer.toUnsignedLong(index));
  }
}
