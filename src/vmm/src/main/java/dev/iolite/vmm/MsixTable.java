package dev.iolite.vmm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The MSI-X table as the guest sees it (PCI 3.0, 6.8.2.6 and following): VFIO keeps the device's
 * own. An entry has an address, a datum and a mask.
 */
final class MsixTable {
  private static final int ENTRY = 16;
  private static final int DATA = 8;
  private static final int CONTROL = 12;
  private static final int MASKED = 1;

  private final ByteBuffer entries;

  MsixTable(int count) {
    entries = ByteBuffer.allocate(count * ENTRY).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      entries.putInt(i * ENTRY + CONTROL, MASKED);
    }
  }

  int count() {
    return entries.capacity() / ENTRY;
  }

  /** How many bytes it has. */
  int bytes() {
    return entries.capacity();
  }

  long address(int vector) {
    return entries.getLong(vector * ENTRY);
  }

  int data(int vector) {
    return entries.getInt(vector * ENTRY + DATA);
  }

  boolean isMasked(int vector) {
    return (entries.getInt(vector * ENTRY + CONTROL) & MASKED) != 0;
  }

  /** Reads within the table. */
  long read(int offset, int bytes) {
    long value = 0;
    for (int i = bytes - 1; i >= 0; i--) {
      value = value << Byte.SIZE | Byte.toUnsignedLong(entries.get(offset + i));
    }
    return value;
  }

  /** The vector that a byte belongs to. */
  static int vectorAt(int offset) {
    return offset / ENTRY;
  }

  /** Writes within the table. */
  void write(int offset, int bytes, long value) {
    for (int i = 0; i < bytes; i++) {
      entries.put(offset + i, (byte) (value >> (i * Byte.SIZE)));
    }
  }
}
