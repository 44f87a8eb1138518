package dev.iolite.mock.device;

/**
 * The MSI-X capability: a table and a pending bit array inside BARs.
 *
 * @param vectors the number of vectors, 1 to 2048
 * @param tableBar the BAR with the table
 * @param tableOffset the table's offset in that BAR, a multiple of 8
 * @param pbaBar the BAR with the pending bits
 * @param pbaOffset their offset in that BAR, a multiple of 8
 */
public record MsiX(int vectors, int tableBar, long tableOffset, int pbaBar, long pbaOffset) {
  /** The size of a table entry, in bytes. */
  public static final int ENTRY_BYTES = 16;

  private static final int MOST = 2048;
  private static final int BITS = 64;

  /** Checks the numbers. */
  public MsiX {
    if (vectors < 1 || vectors > MOST) {
      throw new IllegalArgumentException("MSI-X has 1 to 2048 vectors, not " + vectors);
    }
    if ((tableOffset & 7) != 0
        || (pbaOffset & 7) != 0
        || tableOffset >>> 32 != 0
        || pbaOffset >>> 32 != 0) {
      throw new IllegalArgumentException("the MSI-X table and PBA start at multiples of 8");
    }
  }

  /** Whether the table or the pending bits are in a BAR. */
  public boolean isIn(int bar) {
    return bar == tableBar || bar == pbaBar;
  }

  /** The table's size, in bytes. */
  public long tableBytes() {
    return (long) vectors * ENTRY_BYTES;
  }

  /** The pending bit array's size, in bytes. */
  public long pbaBytes() {
    return ((long) vectors + BITS - 1) / BITS * Long.BYTES;
  }
}
