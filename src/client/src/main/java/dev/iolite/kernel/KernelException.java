package dev.iolite.kernel;

import dev.iolite.uapi.catalog.FdKind;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * A system call that failed: what was tried, on what, what the kernel said and, where it is known,
 * what causes that and what to do next.
 *
 * <p>Most calls fail with an errno. Some return a positive number if they did nothing, or only part
 * of what they were asked to do. A call that returned a number which it is not defined to return
 * may have done anything. For these, {@link #errno} is {@link Errno#UNKNOWN}, and {@link #result}
 * has the number.
 */
public final class KernelException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** The meaning of a result that a call is not defined to return. */
  static final String NOT_ITS_OWN = ", which this call does not have";

  private final String call;
  private final transient CallTarget on;
  private final String detail;
  private final long result;
  private final String said;
  private final boolean diagnosed;
  private final transient Optional<Advice> advice;

  /**
   * Describes a failed call, whose usual cause depends only on the call and the errno.
   *
   * @param call the system call or ioctl, by its name in the headers
   * @param on what it was made on
   * @param detail the decoded argument; empty if there is none
   * @param errno what the kernel said, as the positive number
   */
  public KernelException(String call, CallTarget on, String detail, int errno) {
    this(call, on, detail, errno, Optional.empty());
  }

  private KernelException(
      String call, CallTarget on, String detail, int errno, Optional<Advice> found) {
    this(
        call,
        on,
        detail,
        -errno,
        said(errno),
        found.isPresent(),
        found.or(() -> Advice.of(call, on, Errno.of(errno))));
  }

  private KernelException(
      String call,
      CallTarget on,
      String detail,
      long result,
      String said,
      boolean diagnosed,
      Optional<Advice> advice) {
    super(message(call, on.name(), detail, said, diagnosed, advice));
    this.call = call;
    this.on = on;
    this.detail = detail;
    this.result = result;
    this.said = said;
    this.diagnosed = diagnosed;
    this.advice = advice;
  }

  /**
   * Describes a failed call, and looks for the cause on the machine if the errno leaves several
   * open: in sysfs and procfs, with calls that change nothing.
   *
   * @param kernel the kernel that the call was made on
   */
  public static KernelException of(
      Kernel kernel, String call, CallTarget on, String detail, int errno) {
    return of(kernel, call, on, MemorySegment.NULL, detail, errno);
  }

  /**
   * Like {@link #of(Kernel, String, CallTarget, String, int)}, for an ioctl.
   *
   * @param argument its struct; {@link MemorySegment#NULL} if there is none
   */
  static KernelException of(
      Kernel kernel, String call, CallTarget on, MemorySegment argument, String detail, int errno) {
    return new KernelException(
        call, on, detail, errno, Diagnosis.of(kernel, call, on, argument, Errno.of(errno)));
  }

  /**
   * Describes a call that returned no errno, but did not do, or may not have done, what it was
   * asked to do.
   *
   * @param call the system call or ioctl, by its name in the headers
   * @param on what it was made on
   * @param detail the decoded argument; empty if there is none
   * @param result what it returned
   * @param meaning what that means, to follow the number
   */
  public static KernelException of(
      String call, CallTarget on, String detail, long result, String meaning) {
    return new KernelException(
        call,
        on,
        detail,
        result,
        "the kernel said " + result + meaning,
        false,
        Optional.of(Advice.ofNumber(call, on)));
  }

  /** The same result, reported with another subject and argument. */
  KernelException on(CallTarget other, String newDetail) {
    return result < 0
        ? new KernelException(call, other, newDetail, Math.toIntExact(-result))
        : new KernelException(
            call, other, newDetail, result, said, false, Optional.of(Advice.ofNumber(call, other)));
  }

  /**
   * Makes sure that a call whose only result is 0 returned 0.
   *
   * @throws KernelException if it did not
   */
  static void requireDone(String call, CallTarget on, String detail, int result) {
    if (result < 0) {
      throw new KernelException(call, on, detail, -result);
    }
    if (result > 0) {
      throw of(call, on, detail, result, NOT_ITS_OWN);
    }
  }

  /** The system call or ioctl, such as {@code VFIO_DEVICE_BIND_IOMMUFD} or {@code open}. */
  public String call() {
    return call;
  }

  /** The descriptor or path that the call was made on. */
  public String subject() {
    return on.name();
  }

  /** The kind of descriptor that the call was made on; empty if it was none. */
  public Optional<FdKind> kind() {
    return on.kind();
  }

  /** The argument as it was when the call failed; empty if there is none. */
  public String detail() {
    return detail;
  }

  /** The errno; UNKNOWN if it has no name, or if the call returned none. */
  public Errno errno() {
    return result < 0 ? Errno.of(Math.toIntExact(-result)) : Errno.UNKNOWN;
  }

  /** What the call returned: a negated errno, or a number that does not mean success. */
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

  /** Whether the cause was seen on this machine, rather than being only the usual one. */
  public boolean isDiagnosed() {
    return diagnosed;
  }

  /** The cause and the next step, where they are known. */
  public Optional<Advice> advice() {
    return advice;
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
