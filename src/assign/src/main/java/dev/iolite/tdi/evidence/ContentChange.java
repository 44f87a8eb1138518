package dev.iolite.tdi.evidence;

/**
 * Whether a device's measurements changed while they were requested one after another (bits 4 and 5
 * of an answer's second parameter, from SPDM 1.2 on).
 */
public enum ContentChange {
  /** The device does not say. */
  NOT_SAID("not said"),
  /** They did: what was read earlier is out of date. */
  CHANGED("changed"),
  /** They did not. */
  UNCHANGED("unchanged"),
  /** A value that SPDM leaves undefined. */
  RESERVED("reserved value");

  private static final int SHIFT = 4;
  private static final int MASK = 3;

  private final String words;

  ContentChange(String words) {
    this.words = words;
  }

  /** What an answer's second parameter says. */
  static ContentChange of(SpdmVersion version, int parameter) {
    return version.isAtLeast(SpdmVersion.V1_2) ? values()[parameter >> SHIFT & MASK] : NOT_SAID;
  }

  @Override
  public String toString() {
    return words;
  }
}
