package dev.iolite.mock.core;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Splits a copy of many bytes into register accesses, each aligned and 1 to 8 bytes wide. */
public final class Pieces {
  private Pieces() {}

  /** Reads a register. */
  public interface Reader {
    /** Reads 1, 2, 4 or 8 bytes. */
    long read(long offset, int bytes);
  }

  /** Writes a register. */
  public interface Writer {
    /** Writes 1, 2, 4 or 8 bytes. */
    void write(long offset, int bytes, long value);
  }

  /** Reads as many bytes as there is room for. */
  public static void read(long offset, MemorySegment into, Reader reader) {
    for (long done = 0; done < into.byteSize(); ) {
      int width = width(offset + done, into.byteSize() - done);
      long value = reader.read(offset + done, width);
      for (int i = 0; i < width; i++) {
        into.set(ValueLayout.JAVA_BYTE, done + i, (byte) (value >>> (i * Byte.SIZE)));
      }
      done += width;
    }
  }

  /** Writes all of these bytes. */
  public static void write(long offset, MemorySegment from, Writer writer) {
    for (long done = 0; done < from.byteSize(); ) {
      int width = width(offset + done, from.byteSize() - done);
      long value = 0;
      for (int i = 0; i < width; i++) {
        value |= Byte.toUnsignedLong(from.get(ValueLayout.JAVA_BYTE, done + i)) << (i * Byte.SIZE);
      }
      writer.write(offset + done, width, value);
      done += width;
    }
  }

  private static int width(long at, long left) {
    int width = Long.BYTES;
    while (width > left || at % width != 0) {
      width >>= 1;
    }
    return width;
  }
}
