package dev.iolite.trace;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import java.util.Optional;

/**
 * A call to a kernel and its outcome.
 *
 * @param call the system call, such as {@code ioctl} or {@code pread}
 * @param name the ioctl's name in the headers, or its number split into its parts if it is not
 *     known; for other calls the same as {@code call}
 * @param subject the descriptor or path, such as {@code iommufd 7}; empty if there is none
 * @param argument the arguments before the call; empty if there are none
 * @param changed what the kernel wrote: the fields of the struct that differ, the bytes read, the
 *     kind of a new descriptor; empty if nothing
 * @param result what it returned: a negated errno in {@code [-4095, -1]}
 * @param meaning the meaning of the result; empty if it is an errno or speaks for itself
 * @param nanos how long it took, without the tracing
 * @param thread the name of the thread that made it, or its number if it has no name
 */
public record TracedCall(
    String call,
    String name,
    String subject,
    String argument,
    String changed,
    long result,
    String meaning,
    long nanos,
    String thread) {
  private static final long NANOS_PER_MICRO = 1000;

  /** Whether it failed. */
  public boolean failed() {
    return result < 0 && result >= -Kernel.MAX_ERRNO;
  }

  /** Why it failed; empty if it did not. */
  public Optional<Errno> errno() {
    return failed() ? Optional.of(Errno.of((int) -result)) : Optional.empty();
  }

  /**
   * One line for a person: {@code ioctl(iommufd 7, IOMMU_IOAS_MAP {size=0x28, ...}) = 0 ->
   * {iova=0x1000} 12 us}.
   */
  @Override
  public String toString() {
    StringBuilder line = new StringBuilder(call).append('(').append(subject);
    if (!name.equals(call)) {
      line.append(subject.isEmpty() ? "" : ", ").append(name);
      line.append(argument.isEmpty() ? "" : " ").append(argument);
    } else if (!argument.isEmpty()) {
      line.append(subject.isEmpty() ? "" : ", ").append(argument);
    }
    line.append(") = ").append(resultText());
    if (!meaning.isEmpty()) {
      line.append(" (").append(meaning).append(')');
    }
    if (!changed.isEmpty()) {
      line.append(" -> ").append(changed);
    }
    return line.append("  ").append(nanos / NANOS_PER_MICRO).append(" us").toString();
  }

  private String resultText() {
    if (failed()) {
      Errno errno = Errno.of((int) -result);
      return errno == Errno.UNKNOWN ? "errno " + -result : errno.name();
    }
    return call.equals("mmap") ? "0x" + Long.toHexString(result) : Long.toString(result);
  }
}
