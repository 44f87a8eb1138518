package dev.iolite.kernel;

import java.lang.foreign.MemorySegment;

/**
 * Registers of a device, such as those of a BAR or of configuration space. Offsets are in bytes
 * from their start; values are little endian. Each register is read or written in a single access.
 *
 * <p>On a host, they are mapped memory ({@link #of}). A device of a model implements this interface
 * itself, because it must see each access. An access that no device answers throws {@link
 * InternalError}, as an access to a real device's memory does on SIGBUS.
 *
 * <p>Safe for use by several threads, as far as the device is.
 */
public interface Registers {
  /**
   * Reads a register.
   *
   * @param bytes the width: 1, 2, 4 or 8
   * @return its value, zero-extended
   */
  long read(long offset, int bytes);

  /**
   * Writes a register.
   *
   * @param bytes the width: 1, 2, 4 or 8
   */
  void write(long offset, int bytes, long value);

  /** Returns the registers in mapped memory. Offsets must be multiples of the access size. */
  static Registers of(MemorySegment memory) {
    return new MappedRegisters(memory);
  }

  /** Reads an 8-bit register. */
  default byte read8(long offset) {
    return (byte) read(offset, Byte.BYTES);
  }

  /** Reads a 16-bit register. */
  default short read16(long offset) {
    return (short) read(offset, Short.BYTES);
  }

  /** Reads a 32-bit register. */
  default int read32(long offset) {
    return (int) read(offset, Integer.BYTES);
  }

  /** Reads a 64-bit register. */
  default long read64(long offset) {
    return read(offset, Long.BYTES);
  }

  /** Writes an 8-bit register. */
  default void write8(long offset, byte value) {
    write(offset, Byte.BYTES, value);
  }

  /** Writes a 16-bit register. */
  default void write16(long offset, short value) {
    write(offset, Short.BYTES, value);
  }

  /** Writes a 32-bit register. */
  default void write32(long offset, int value) {
    write(offset, Integer.BYTES, value);
  }

  /** Writes a 64-bit register. */
  default void write64(long offset, long value) {
    write(offset, Long.BYTES, value);
  }
}
