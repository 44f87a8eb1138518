package dev.iolite.kernel;

import java.util.Optional;

/**
 * A system call that failed: what was tried, on what, what the kernel said and, where it is known,
 * what causes that and what to do next.
 */
public final class KernelException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final String subject;
  private final String detail;
  private final int number;
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
        errno,
        found.isPresent(),
        found.or(() -> Advice.of(call, subject, detail, Errno.of(errno))));
  }

  private KernelException(
      String call,
      String subject,
      String detail,
      int errno,
      boolean diagnosed,
      Optional<Advice> advice) {
    super(message(call, subject, detail, errno, diagnosed, advice));
    this.call = call;
    this.subject = subject;
    this.detail = detail;
    this.number = errno;
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

  /** What the kernel said. */
  public Errno errno() {
    return Errno.of(number);
  }

  /** What the kernel said, as the positive number; some have no name. */
  public int number() {
    return number;
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
      int errno,
      boolean diagnosed,
      Optional<Advice> advice) {
    StringBuilder text = new StringBuilder(call).append(" on ").append(subject);
    if (!detail.isEmpty()) {
      text.append(" with ").append(detail);
    }
    Errno name = Errno.of(errno);
    text.append(": ").append(name == Errno.UNKNOWN ? "errno " + errno : name);
    advice.ifPresent(known ->
        text.append(diagnosed ? ", because " : ". Usual cause: ")
            .append(known.cause())
            .append(". Next: ")
            .append(known.next()));
    return text.toString();
  }
}
