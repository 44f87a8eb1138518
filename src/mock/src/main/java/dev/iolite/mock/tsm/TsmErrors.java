package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/** Errors of a TSM's firmware on demand: what it refuses, before or after doing it. */
public final class TsmErrors {
  /** What a TSM is asked to do. */
  public enum Operation {
    /** To connect to a device. */
    CONNECT,
    /** To bind an interface. */
    BIND,
    /** To change an interface's state. */
    SET_STATE,
    /** To check a guest's private view of MMIO. */
    VALIDATE_MMIO,
    /** To give an interface's report. */
    REPORT,
    /** To give a device's measurements. */
    MEASUREMENTS
  }

  private record Planned(Operation operation, Errno errno, boolean after) {}

  private final List<Planned> planned = new ArrayList<>();

  TsmErrors() {}

  /**
   * Makes the next of these operations fail.
   *
   * @param after whether it fails after it has taken effect
   */
  public void failNext(Operation operation, Errno errno, boolean after) {
    planned.add(new Planned(operation, errno, after));
  }

  /** Fails an operation that has no effect, if that is planned. */
  void check(Operation operation) {
    take(operation)
        .ifPresent(error -> {
          throw refused(error.errno);
        });
  }

  /** Fails an operation now, if that is planned; what this returns fails it at its end. */
  Runnable around(Operation operation) {
    Optional<Planned> error = take(operation);
    if (error.isEmpty()) {
      return () -> {};
    }
    if (!error.get().after) {
      throw refused(error.get().errno);
    }
    return () -> {
      throw refused(error.get().errno);
    };
  }

  private Optional<Planned> take(Operation operation) {
    for (Iterator<Planned> each = planned.iterator(); each.hasNext(); ) {
      Planned next = each.next();
      if (next.operation == operation) {
        each.remove();
        return Optional.of(next);
      }
    }
    return Optional.empty();
  }
}
