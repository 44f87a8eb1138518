package dev.iolite.tdi.layout;

/** Who can reach memory: a page of a BAR or of a guest's RAM is of one kind at a time. */
public enum Kind {
  /** The host and other devices can reach it too. */
  SHARED("shared"),
  /** Only the confidential guest can reach it. */
  PRIVATE("private");

  private final String words;

  Kind(String words) {
    this.words = words;
  }

  /** For example {@code shared}. */
  @Override
  public String toString() {
    return words;
  }
}
