package dev.iolite.cli;

/** What the command's exit code says; {@code iolite --help} lists them. */
public final class ExitCode {
  /** All went well. */
  public static final int OK = 0;

  /** The command ran, and what it checked is not in order. */
  public static final int CHECK_FAILED = 1;

  /** The command line could not be understood. */
  public static final int USAGE = 2;

  /** The kernel refused a call, or answered it against its own rules. */
  static final int KERNEL = 3;

  /** Something that the command needs is not there. */
  public static final int PRECONDITION = 4;

  /** A fault of iolite. */
  public static final int INTERNAL = 70;

  private ExitCode() {}
}
