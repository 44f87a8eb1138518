package dev.iolite.kernel;

import java.util.Optional;

/**
 * A system call that failed: what was tried, on what, what the kernel said and, where it is known,
 * what usually causes that and what to do next.
 */
public final class KernelException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final String subject;
  private final String detail;
  private final int number;

  /**
   * Describes a failed call.
   *
   * @param call the system call or ioctl, by its name in the headers
   * @param subject the descriptor or path it was made on
   * @param detail the decoded argument; empty if there is none
   * @param errno what the kernel said, as the positive number
   */
  public KernelException(String call, String subject, String detail, int errno) {
    super(message(call, subject, detail, errno));
    this.call = call;
    this.subject = subject;
    this.detail = detail;
    this.number = errno;
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

  /** The usual cause and the next step, where they are known. */
  public Optional<Advice> advice() {
    return Advice.of(call, subject, errno());
  }

  private static String message(String call, String subject, String detail, int errno) {
    StringBuilder text = new StringBuilder(call).append(" on ").append(subject);
    if (!detail.isEmpty()) {
      text.append(" with ").append(detail);
    }
    Errno name = Errno.of(errno);
    text.append(": ").append(name == Errno.UNKNOWN ? "errno " + errno : name);
    Advice.of(call, subject, name)
        .ifPresent(advice ->
            text.append(". Usual cause: ")
                .append(advice.cause())
                .append(". Next: ")
                .append(advice.next()));
    return text.toString();
  }
}
