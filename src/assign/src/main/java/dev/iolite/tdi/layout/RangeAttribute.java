package dev.iolite.tdi.layout;

/** What an interface reports about a range of its MMIO in addition to its place. */
public enum RangeAttribute {
  /** The MSI-X table is in it. */
  MSIX_TABLE(1, "MSI-X table"),
  /** The MSI-X pending bit array is in it. */
  MSIX_PBA(1 << 1, "MSI-X PBA"),
  /** It stays shared with the host (IS_NON_TEE_MEM). */
  NON_TEE(1 << 2, "non-TEE"),
  /** The guest can change its kind while the interface runs (IS_MEM_ATTR_UPDATABLE). */
  UPDATABLE(1 << 3, "updatable");

  private final int bit;
  private final String words;

  RangeAttribute(int bit, String words) {
    this.bit = bit;
    this.words = words;
  }

  /** Its bit in the report. */
  int bit() {
    return bit;
  }

  /** For example {@code MSI-X table}. */
  @Override
  public String toString() {
    return words;
  }
}
