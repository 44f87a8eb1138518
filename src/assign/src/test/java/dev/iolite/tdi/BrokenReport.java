package dev.iolite.tdi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** What a device may answer that breaks the format of a report, made of its true one. */
public enum BrokenReport {
  /** Nothing at all. */
  EMPTY("the report ends here"),
  /** Cut off in its head. */
  TRUNCATED_HEAD("the report ends here"),
  /** Cut off in its ranges. */
  TRUNCATED_RANGES("room for at most"),
  /** Cut off after them. */
  TRUNCATED_TRAILER("bytes after the ranges"),
  /** A count whose ranges would take 64 GiB. */
  HOSTILE_COUNT("4294967295 ranges"),
  /** A range from where the one before it is. */
  OVERLAPPING("do not overlap"),
  /** A range before the one before it. */
  UNORDERED("ranges ascend"),
  /** The BARs in the wrong order. */
  BARS_UNORDERED("ids ascend"),
  /** A page whose address does not fit 64 bits. */
  OVERFLOWING_PAGE("does not fit 64 bits"),
  /** As many pages as lead beyond 64 bits. */
  OVERFLOWING_END("does not fit 64 bits"),
  /** More pages than the BAR has. */
  BEYOND_BAR("BAR 0"),
  /** No pages. */
  NO_PAGES("0 pages"),
  /** A BAR that this function does not have. */
  ABSENT_BAR("BAR 1"),
  /** More of the device's own bytes than there are. */
  LONG_TRAILER("of the device's own");

  private static final int COUNT = 12;
  private static final int RANGES = 16;
  private static final int RANGE = 16;

  /** The endpoint has five ranges in BAR 0. */
  private static final int LAST_OF_BAR0 = RANGES + 4 * RANGE;

  private static final int PAGES = 8;
  private static final int ATTRIBUTES = 12;

  private final String said;

  BrokenReport(String said) {
    this.said = said;
  }

  /** What a message must say of it. */
  public String said() {
    return said;
  }

  /** The broken one. */
  public byte[] of(byte[] right) {
    byte[] broken = right.clone();
    ByteBuffer bytes = ByteBuffer.wrap(broken).order(ByteOrder.LITTLE_ENDIAN);
    int end = RANGES + RANGE * bytes.getInt(COUNT);
    return switch (this) {
      case EMPTY -> new byte[0];
      case TRUNCATED_HEAD -> Arrays.copyOf(broken, RANGES - 1);
      case TRUNCATED_RANGES -> Arrays.copyOf(broken, RANGES + RANGE + 5);
      case TRUNCATED_TRAILER -> Arrays.copyOf(broken, end + 2);
      case HOSTILE_COUNT -> bytes.putInt(COUNT, -1).array();
      case OVERLAPPING -> bytes.putLong(RANGES + RANGE, bytes.getLong(RANGES)).array();
      case UNORDERED -> bytes.putLong(RANGES + RANGE, bytes.getLong(RANGES) - 1).array();
      case BARS_UNORDERED -> bytes.putInt(RANGES + ATTRIBUTES, 5 << 16).array();
      case OVERFLOWING_PAGE -> bytes.putLong(RANGES, 1L << 52).array();
      case OVERFLOWING_END -> bytes.putLong(RANGES, (1L << 52) - 1).array();
      case BEYOND_BAR -> lastOfBar0(bytes).array();
      case NO_PAGES -> bytes.putInt(RANGES + PAGES, 0).array();
      case ABSENT_BAR -> bytes.putInt(LAST_OF_BAR0 + ATTRIBUTES, 1 << 16).array();
      case LONG_TRAILER -> bytes.putInt(end, 100).array();
    };
  }

  /** It gets a page too many. */
  private static ByteBuffer lastOfBar0(ByteBuffer bytes) {
    int pages = LAST_OF_BAR0 + PAGES;
    return bytes.putInt(pages, bytes.getInt(pages) + 1);
  }
}
