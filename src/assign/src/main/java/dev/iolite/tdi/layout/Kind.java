package dev.iolite.tdi.layout;

/** Who can reach memory: a page of a BAR or of a guest's RAM is of one kind at a time. */
public enum Kind {
  /** The host and other devices reach it too. */
  SHARED("shared"),
  /** Only the confidential guest reaches it. */
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
