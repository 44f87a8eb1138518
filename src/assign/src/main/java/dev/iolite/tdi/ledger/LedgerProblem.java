package dev.iolite.tdi.ledger;

/**
 * Pages with two recorded facts that cannot both be true.
 *
 * @param gpa the first guest-physical address
 * @param bytes the length
 * @param what the contradiction
 */
public record LedgerProblem(long gpa, long bytes, String what) {
  /** For example {@code 0x1000-0x1fff: a private page is mapped in the IOAS}. */
  @Override
  public String toString() {
    return "0x%x-0x%x: %s".formatted(gpa, gpa + bytes - 1, what);
  }
}
