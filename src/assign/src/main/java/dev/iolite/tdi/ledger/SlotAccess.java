package dev.iolite.tdi.ledger;

/** The accesses of a guest that a memory slot serves. */
public enum SlotAccess {
  /** Only shared ones. */
  SHARED("shared"),
  /** Only private ones. */
  PRIVATE("private"),
  /** Both, as a slot with a guest_memfd does. */
  BOTH("shared and private");

  private final String words;

  SlotAccess(String words) {
    this.words = words;
  }

  /** For example {@code shared and private}. */
  @Override
  public String toString() {
    return words;
  }
}
