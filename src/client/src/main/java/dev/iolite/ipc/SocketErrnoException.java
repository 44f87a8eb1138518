package dev.iolite.ipc;

import dev.iolite.kernel.Errno;
import java.io.IOException;

/** What the kernel said about a call on a socket. */
public final class SocketErrnoException extends IOException {
  private static final long serialVersionUID = 1L;

  private final Errno errno;

  /**
   * Describes a failed call.
   *
   * @param call the call, such as {@code connect}
   * @param result the negated errno
   */
  SocketErrnoException(String call, long result) {
    super(call + ": " + Errno.of((int) -result));
    errno = Errno.of((int) -result);
  }

  /** What the kernel said. */
  public Errno errno() {
    return errno;
  }
}
