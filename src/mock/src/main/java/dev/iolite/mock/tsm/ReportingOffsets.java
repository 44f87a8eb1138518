package dev.iolite.mock.tsm;

import dev.iolite.kernel.Page;
import java.util.Random;
import java.util.function.LongSupplier;

/**
 * The MMIO_REPORTING_OFFSET of each lock: a device adds it to the addresses that it reports, and
 * the TSM, which chooses it, keeps it secret. It is signed and a multiple of the page size.
 */
public final class ReportingOffsets implements LongSupplier {
  /** No BAR is larger, so that a multiple keeps all of them aligned. */
  private static final long LARGEST_BAR = 1L << 40;

  private static final long HUGE = 1L << 62;
  private static final int MULTIPLES = 1 << 12;
  private static final int KINDS = 3;

  private final long unit;
  private final Random random;

  private ReportingOffsets(long unit, long seed) {
    this.unit = unit;
    random = new Random(seed);
  }

  /** Those that keep BARs aligned to their size, for a host that places ranges by that. */
  public static ReportingOffsets aligned(long seed) {
    return new ReportingOffsets(LARGEST_BAR, seed);
  }

  /** Any, for a host that takes the first range of a BAR for its start. */
  public static ReportingOffsets any(long seed) {
    return new ReportingOffsets(Page.BYTES, seed);
  }

  /** Positive, negative, or beyond all addresses that a host has. */
  @Override
  public long getAsLong() {
    long offset = unit * (1 + random.nextInt(MULTIPLES));
    return switch (random.nextInt(KINDS)) {
      case 0 -> offset;
      case 1 -> -LARGEST_BAR * MULTIPLES - offset;
      default -> HUGE + offset;
    };
  }
}
