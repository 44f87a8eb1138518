package dev.iolite.cli;

/** The command's exit codes; {@code iolite --help} lists them. */
public final class ExitCode {
  /** Success. */
  public static final int OK = 0;

  /** The command ran, but a check failed. */
  public static final int CHECK_FAILED = 1;

  /** The command line is wrong. */
  public static final int USAGE = 2;

  /** The kernel refused a call, or gave an answer that breaks its own rules. */
  static final int KERNEL = 3;

  /** Something that the command needs is missing. */
  public static final int PRECONDITION = 4;

  /** The guest of {@code iolite vm run} rebooted. */
  static final int GUEST_RESET = 10;

  /** Its kernel panicked. */
  static final int GUEST_PANIC = 11;

  /** A processor of it shut down in a triple fault. */
  static final int GUEST_TRIPLE_FAULT = 12;

  /** Somebody stopped it. */
  static final int GUEST_STOPPED = 13;

  /** A bug in iolite. */
  public static final int INTERNAL = 70;

  /** What the command printed could not be written. */
  static final int OUTPUT = 74;

  /** The reader of the command's output has gone, as for a program that SIGPIPE ends. */
  static final int CLOSED_PIPE = 141;

  private ExitCode() {}
}
