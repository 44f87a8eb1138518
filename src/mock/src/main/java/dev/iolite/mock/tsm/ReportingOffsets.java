package dev.iolite.mock.tsm;

import dev.iolite.kernel.Page;
import java.util.Random;
import java.util.function.LongSupplier;

/**
 * The MMIO_REPORTING_OFFSET of each lock: a device adds it to the addresses that it reports, and
 * the TSM, which chooses it, keeps it secret. It is signed and a multiple of the page size.
 */
public final class ReportingOffsets implements LongSupplier {
  /** No BAR is larger, so a multiple of this keeps all BARs aligned. */
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

  /** Offsets that keep BARs aligned to their size, for a host that places ranges by alignment. */
  public static ReportingOffsets aligned(long seed) {
    return new ReportingOffsets(LARGEST_BAR, seed);
  }

  /** Arbitrary offsets, for a host that takes the first range of a BAR as the BAR's start. */
  public static ReportingOffsets any(long seed) {
    return new ReportingOffsets(Page.BYTES, seed);
  }

  /** The next offset: positive, negative, or beyond all addresses of a host. */
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
