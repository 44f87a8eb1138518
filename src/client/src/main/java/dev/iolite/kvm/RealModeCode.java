package dev.iolite.kvm;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * 16-bit machine code of a guest in real mode, whose segments start at 0.
 *
 * <p>Not safe for use by several threads.
 */
public final class RealModeCode {
  private static final int MOST_BYTES = 64;
  private static final long LIMIT = 1L << Integer.SIZE;

  /** General registers. */
  public enum Register {
    EAX(0),
    ECX(1),
    EDX(2),
    EBX(3),
    ESI(6);

    private final int number;

    Register(int number) {
      this.number = number;
    }
  }

  private final ByteBuffer code = ByteBuffer.allocate(MOST_BYTES).order(ByteOrder.LITTLE_ENDIAN);

  /** Whether real mode reaches the 4 bytes at an address. */
  public static boolean reaches(long gpa) {
    return gpa >= 0 && gpa <= LIMIT - Integer.BYTES;
  }

  /** Appends instructions as bytes. */
  public RealModeCode put(int... bytes) {
    for (int one : bytes) {
      code.put((byte) one);
    }
    return this;
  }

  private RealModeCode putInt(long value) {
    code.putInt((int) value);
    return this;
  }

  /** {@code mov register, value}, of 32 bits. */
  public RealModeCode set(Register register, long value) {
    return put(0x66, 0xb8 + register.number).putInt(value);
  }

  /** {@code mov register, value}, of the register's low 16 bits. */
  public RealModeCode setLow(Register register, int value) {
    return put(0xb8 + register.number, value, value >> Byte.SIZE);
  }

  /** {@code mov eax, [gpa]}. */
  public RealModeCode load(long gpa) {
    return put(0x67, 0x66, 0xa1).putInt(gpa);
  }

  /** {@code mov [gpa], eax}. */
  public RealModeCode store(long gpa) {
    return put(0x67, 0x66, 0xa3).putInt(gpa);
  }

  /** {@code mov dx, port; out dx, eax}. */
  public RealModeCode out(int port) {
    return setLow(Register.EDX, port).put(0x66, 0xef);
  }

  /** {@code mov dx, port; in eax, dx}. */
  public RealModeCode in(int port) {
    return setLow(Register.EDX, port).put(0x66, 0xed);
  }

  /** {@code vmmcall}. */
  public RealModeCode hypercall() {
    return put(0x0f, 0x01, 0xd9);
  }

  /** {@code hlt}. */
  public RealModeCode halt() {
    return put(0xf4);
  }

  /** Its length in bytes. */
  public int size() {
    return code.position();
  }

  /** Copies it into memory, at an offset in bytes. */
  public void copyTo(MemorySegment memory, long offset) {
    MemorySegment.copy(MemorySegment.ofBuffer(code.duplicate().flip()), 0, memory, offset, size());
  }
}
