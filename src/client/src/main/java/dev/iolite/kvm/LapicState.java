package dev.iolite.kvm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The registers of a vCPU's local APIC, as its register page shows them.
 *
 * <p>In x2APIC mode, the ID register has the id in its high byte unless KVM_CAP_X2APIC_API says
 * otherwise (arch/x86/kvm/lapic.c:kvm_apic_state_fixup).
 *
 * <p>Safe for use by several threads.
 */
public final class LapicState {
  /** The offset of the register for the local interrupt pin 0: LVT LINT0. */
  public static final int LVT_LINT0 = 0x350;

  /** The offset of the register for the local interrupt pin 1: LVT LINT1. */
  public static final int LVT_LINT1 = 0x360;

  static final int BYTES = 0x400;
  private static final int STEP = 16;

  private final ByteBuffer registers;

  LapicState(byte[] registers) {
    this.registers = ByteBuffer.wrap(registers.clone()).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * The 32-bit register at an offset.
   *
   * @param offset a multiple of 16 below 1024
   */
  public int register(int offset) {
    return registers.getInt(checked(offset));
  }

  /** The same with another value in the register at an offset. */
  public LapicState with(int offset, int value) {
    LapicState changed = new LapicState(registers.array());
    changed.registers.putInt(checked(offset), value);
    return changed;
  }

  private static int checked(int offset) {
    if (offset < 0 || offset >= BYTES || offset % STEP != 0) {
      throw new IllegalArgumentException("no register of a local APIC is at offset " + offset);
    }
    return offset;
  }

  byte[] bytes() {
    return registers.array().clone();
  }
}
