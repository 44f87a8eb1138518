package dev.iolite.cli;

/** The exit codes of the command; {@code iolite --help} lists them. */
final class ExitCode {
  /** All went well. */
  static final int OK = 0;

  /** The command ran, and what it checked is not in order. */
  static final int CHECK_FAILED = 1;

  /** The command line could not be understood. */
  static final int USAGE = 2;

  /** The kernel refused a call, or answered it against its own rules. */
  static final int KERNEL = 3;

  /** Something that the command needs is not there. */
  static final int PRECONDITION = 4;

  /** A fault of iolite. */
  static final int INTERNAL = 70;

  private ExitCode() {}
}
