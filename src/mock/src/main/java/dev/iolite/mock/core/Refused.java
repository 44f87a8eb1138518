package dev.iolite.mock.core;

import dev.iolite.kernel.Errno;
import java.util.EnumMap;
import java.util.Map;

/**
 * A call's error on its way out of the model. It carries no stack trace, because it is an ordinary
 * answer and must be cheap.
 */
public final class Refused extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final Map<Errno, Refused> ALL = new EnumMap<>(Errno.class);

  static {
    for (Errno errno : Errno.values()) {
      ALL.put(errno, new Refused(errno));
    }
  }

  private final Errno errno;

  private Refused(Errno errno) {
    super(errno.name(), null, false, false);
    this.errno = errno;
  }

  /** The exception that ends a call with this error: {@code throw refused(EINVAL)}. */
  public static Refused refused(Errno errno) {
    return ALL.getOrDefault(errno, new Refused(errno));
  }

  /** Ends the call with this error if the condition holds. */
  public static void refuseIf(boolean condition, Errno errno) {
    if (condition) {
      throw refused(errno);
    }
  }

  /** The error. */
  public Errno errno() {
    return errno;
  }
}
