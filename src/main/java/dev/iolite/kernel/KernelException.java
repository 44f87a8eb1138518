package dev.iolite.kernel;

import java.util.Optional;

/**
 * A system call that failed: what was tried, on what, what the kernel said and, where it is known,
 * what causes that and what to do next.
 *
 * <p>Most calls fail with an errno. Some return a positive number if they did nothing or only a
 * part of what they were asked for. A call that returned a number which it does not have may have
 * done anything. For these, {@link #errno} is {@link Errno#UNKNOWN}, and {@link #result} has the
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
  private final boolean diagnosed;
  private final String cause;
  private final String next;

  /**
   * Describes a failed call, whose usual cause depends on the call and the errno only.
   *
   * @param call the system call or ioctl, by its name in the headers
   * @param subject the descriptor or path it was made on
   * @param detail the decoded argument; empty if there is none
   * @param errno what the kernel said, as the positive number
   */
  public KernelException(String call, String subject, String detail, int errno) {
    this(call, subject, detail, errno, Optional.empty());
  }

  private KernelException(
      String call, String subject, String detail, int errno, Optional<Advice> found) {
    this(
        call,
        subject,
        detail,
        -errno,
        said(errno),
        found.isPresent(),
        found.or(() -> Advice.of(call, subject, detail, Errno.of(errno))));
  }

  private KernelException(
      String call,
      String subject,
      String detail,
      long result,
      String said,
      boolean diagnosed,
      Optional<Advice> advice) {
    super(message(call, subject, detail, said, diagnosed, advice));
    this.call = call;
    this.subject = subject;
    this.detail = detail;
    this.result = result;
    this.said = said;
    this.diagnosed = diagnosed;
    cause = advice.map(Advice::cause).orElse("");
    next = advice.map(Advice::next).orElse("");
  }

  /**
   * Describes a failed call, and looks at the machine for the cause where the errno leaves several:
   * at sysfs and procfs, with calls that change nothing.
   *
   * @param kernel the kernel that the call was made on
   */
  public static KernelException of(
      Kernel kernel, String call, String subject, String detail, int errno) {
    return new KernelException(
        call, subject, detail, errno, Diagnosis.of(kernel, call, subject, detail, Errno.of(errno)));
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
        call,
        subject,
        detail,
        result,
        "the kernel said " + result + meaning,
        false,
        Optional.of(Advice.ofNumber(call, subject, detail)));
  }

  /** The same result, reported for another subject and argument. */
  KernelException on(String newSubject, String newDetail) {
    return result < 0
        ? new KernelException(call, newSubject, newDetail, Math.toIntExact(-result))
        : new KernelException(
            call,
            newSubject,
            newDetail,
            result,
            said,
            false,
            Optional.of(Advice.ofNumber(call, newSubject, newDetail)));
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
    return result < 0 ? Errno.of(Math.toIntExact(-result)) : Errno.UNKNOWN;
  }

  /** What the call returned: a negated errno, or a number that was no success. */
  public long result() {
    return result;
  }

  /** What the kernel said, such as {@code EBUSY}. */
  public String said() {
    return said;
  }

  private static String said(int errno) {
    Errno name = Errno.of(errno);
    return name == Errno.UNKNOWN ? "errno " + errno : name.toString();
  }

  /** Whether the cause was seen on this machine, and is not only the usual one. */
  public boolean isDiagnosed() {
    return diagnosed;
  }

  /** The cause and the next step, where they are known. */
  public Optional<Advice> advice() {
    return cause.isEmpty() ? Optional.empty() : Optional.of(new Advice(cause, next));
  }

  private static String message(
      String call,
      String subject,
      String detail,
      String said,
      boolean diagnosed,
      Optional<Advice> advice) {
    StringBuilder text = new StringBuilder(call).append(" on ").append(subject);
    if (!detail.isEmpty()) {
      text.append(" with ").append(detail);
    }
    text.append(": ").append(said);
    advice.ifPresent(known ->
        text.append(diagnosed ? ", because " : ". Usual cause: ")
            .append(known.cause())
            .append(". Next: ")
            .append(known.next()));
    return text.toString();
  }
}
