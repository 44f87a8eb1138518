package dev.iolite.mock.pci;

import java.util.Arrays;

/**
 * A function's configuration space in hardware: which bits can be written, and their values after a
 * reset. Offsets are aligned to the width of an access.
 */
final class FunctionConfig {
  private final byte[] bytes;
  private final byte[] initial;
  private final byte[] writable;

  /**
   * Makes a configuration space of zeros that can't be written.
   *
   * @param size 256 or 4096
   */
  FunctionConfig(int size) {
    bytes = new byte[size];
    initial = new byte[size];
    writable = new byte[size];
  }

  int size() {
    return bytes.length;
  }

  /** Sets the value of a register at power-on, and which of its bits can be written. */
  void define(int offset, int width, long value, long writableBits) {
    for (int i = 0; i < width; i++) {
      bytes[offset + i] = (byte) (value >>> (i * Byte.SIZE));
      initial[offset + i] = bytes[offset + i];
      writable[offset + i] = (byte) (writableBits >>> (i * Byte.SIZE));
    }
  }

  int read(int offset, int width) {
    int value = 0;
    for (int i = 0; i < width; i++) {
      value |= Byte.toUnsignedInt(bytes[offset + i]) << (i * Byte.SIZE);
    }
    return value;
  }

  /** A write from outside: bits that can't be written keep their value. */
  void write(int offset, int width, int value) {
    for (int i = 0; i < width; i++) {
      int mask = writable[offset + i];
      int written = value >>> (i * Byte.SIZE);
      bytes[offset + i] = (byte) ((bytes[offset + i] & ~mask) | (written & mask));
    }
  }

  /** A write by the function itself. */
  void set(int offset, int width, int value) {
    for (int i = 0; i < width; i++) {
      bytes[offset + i] = (byte) (value >>> (i * Byte.SIZE));
    }
  }

  void reset() {
    System.arraycopy(initial, 0, bytes, 0, bytes.length);
  }

  byte[] copy() {
    return Arrays.copyOf(bytes, bytes.length);
  }
}
