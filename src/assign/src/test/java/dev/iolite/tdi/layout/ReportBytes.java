package dev.iolite.tdi.layout;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Writes device interface reports, right ones and wrong ones. */
public final class ReportBytes {
  /** The attribute bit of the MSI-X table. */
  public static final int MSIX_TABLE = 1;

  /** The attribute bit of the MSI-X pending bits. */
  public static final int MSIX_PBA = 2;

  /** The attribute bit of memory that stays shared. */
  public static final int NON_TEE = 4;

  /** The attribute bit of memory whose kind can change. */
  public static final int UPDATABLE = 8;

  private static final int MOST = 4096;

  private final ByteBuffer bytes = ByteBuffer.allocate(MOST).order(ByteOrder.LITTLE_ENDIAN);
  private int ranges;

  /** A report with this interface info and no ranges. */
  public ReportBytes(int info) {
    bytes.putShort((short) info).putShort((short) 0);
    bytes.putShort((short) 0x8007).putShort((short) 1).putInt(0x0102_0304).putInt(0);
  }

  /** Adds a range. */
  public ReportBytes range(int bar, long firstPage, int pages, int attributes) {
    bytes.putLong(firstPage).putInt(pages).putInt((bar << 16) | attributes);
    bytes.putInt(12, ++ranges);
    return this;
  }

  /** Adds bytes of the device's own, with their length before them. */
  public ReportBytes deviceSpecific(byte... own) {
    bytes.putInt(own.length).put(own);
    return this;
  }

  /** Adds bytes as they are. */
  public ReportBytes raw(int... values) {
    for (int value : values) {
      bytes.put((byte) value);
    }
    return this;
  }

  /** Writes a 32-bit number over what is there. */
  public ReportBytes put(int at, int value) {
    bytes.putInt(at, value);
    return this;
  }

  /** The report. */
  public byte[] toArray() {
    byte[] array = new byte[bytes.position()];
    bytes.get(0, array);
    return array;
  }

  /** The report, parsed. */
  public InterfaceReport parse() {
    return InterfaceReport.parse(MemorySegment.ofArray(toArray()));
  }
}
