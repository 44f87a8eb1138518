package dev.iolite.cli.report;

/** Numbers of things, in words. */
final class Counts {
  private Counts() {}

  /** For example {@code 1 step} or {@code 2 steps}. */
  static String of(int number, String noun) {
    return number + " " + noun + (number == 1 ? "" : "s");
  }
}
