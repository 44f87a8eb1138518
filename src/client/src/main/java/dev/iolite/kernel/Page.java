package dev.iolite.kernel;

/**
 * The smallest page of x86-64, which is also the unit of MMIO in TDISP.
 *
 * <p>Safe for use by several threads.
 */
public final class Page {
  /** Its size as a power of two. */
  public static final int SHIFT = 12;

  /** Its size in bytes. */
  public static final long BYTES = 1L << SHIFT;

  private Page() {}
}
