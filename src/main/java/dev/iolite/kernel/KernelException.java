package dev.iolite.kernel;

import java.util.Optional;

/**
 * A system call that failed: what was tried, on what, what the kernel said and, where it is known,
 * what usually causes that and what to do next.
 *
 * <p>Mostly it returned an errno. Some return a positive number when they did not do what they were
 * asked for, or did a part of it only; and one that returned a number which it does not have may
 * have done anything. Of those {@link #errno} is {@link Errno#UNKNOWN}, and {@link #result} has the
 * number.
 */
public final class KernelException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** The meaning of a result that a call does not have. */
  static final String NOT_ITS_OWN = ", which this call does not have";

  private final String call;
  private final String subject;
  private final String detail;
  private final long result;
  private final String said;

  /**
   * Describes a failed call.
   *
   * @param call the system call or ioctl, by its name in the headers
   * @param subject the descriptor or path it was made on
   * @param detail the decoded argument; empty if there is none
   * @param errno what the kernel said, as the positive number
   */
  public KernelException(String call, String subject, String detail, int errno) {
    this(call, subject, detail, -errno, said(Errno.of(errno), errno));
  }

  private KernelException(String call, String subject, String detail, long result, String said) {
    super(message(call, subject, detail, said, advice(call, subject, result)));
    this.call = call;
    this.subject = subject;
    this.detail = detail;
    this.result = result;
    this.said = said;
  }

  /**
   * Describes a call that returned no errno, and yet did not do what it was asked for, or not
   * surely.
   *
   * @param call the system call or ioctl, by its name in the headers
   * @param subject the descriptor or path it was made on
   * @param detail the decoded argument; empty if there is none
   * @param result what it returned
   * @param meaning what that says, to follow the number
   */
  public static KernelException of(
      String call, String subject, String detail, long result, String meaning) {
    return new KernelException(
        call, subject, detail, result, "the kernel said " + result + meaning);
  }

  /**
   * Makes sure that a call which has no result but 0 returned 0.
   *
   * @throws KernelException if it did not
   */
  static void requireDone(String call, String subject, String detail, int result) {
    if (result < 0) {
      throw new KernelException(call, subject, detail, -result);
    }
    if (result > 0) {
      throw of(call, subject, detail, result, NOT_ITS_OWN);
    }
  }

  /** The system call or ioctl, such as {@code VFIO_DEVICE_BIND_IOMMUFD} or {@code open}. */
  public String call() {
    return call;
  }

  /** The descriptor or path that the call was made on. */
  public String subject() {
    return subject;
  }

  /** The argument as it was when the call failed; empty if there is none. */
  public String detail() {
    return detail;
  }

  /** The errno; UNKNOWN if it has no name, or if the call returned none. */
  public Errno errno() {
    return errno(result);
  }

  /** What the call returned: a negated errno, or a number that was no success. */
  public long result() {
    return result;
  }

  /** What the kernel said, such as {@code EBUSY}. */
  public String said() {
    return said;
  }

  /** The usual cause and the next step, where they are known. */
  public Optional<Advice> advice() {
    return advice(call, subject, result);
  }

  private static Errno errno(long result) {
    return result < 0 ? Errno.of(Math.toIntExact(-result)) : Errno.UNKNOWN;
  }

  private static String said(Errno name, int errno) {
    return name == Errno.UNKNOWN ? "errno " + errno : name.toString();
  }

  private static Optional<Advice> advice(String call, String subject, long result) {
    return result < 0
        ? Advice.of(call, subject, errno(result))
        : Optional.of(Advice.ofNumber(call, subject));
  }

  private static String message(
      String call, String subject, String detail, String said, Optional<Advice> known) {
    StringBuilder text = new StringBuilder(call).append(" on ").append(subject);
    if (!detail.isEmpty()) {
      text.append(" with ").append(detail);
    }
    text.append(": ").append(said);
    known.ifPresent(advice ->
        text.append(". Usual cause: ")
            .append(advice.cause())
            .append(". Next: ")
            .append(advice.next()));
    return text.toString();
  }
}
