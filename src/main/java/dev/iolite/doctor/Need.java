package dev.iolite.doctor;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * What a check looks for.
 *
 * @param check the check's name
 * @param without how it stands if that is not there: {@code OPTIONAL} or {@code MISSING}
 * @param purpose why it matters
 * @param ifAbsent what to do if the kernel does not have it
 */
record Need(String check, Finding.Status without, String purpose, String ifAbsent) {
  /** What to do about a kernel that lacks something. */
  static final String OTHER_KERNEL = "boot Linux 7.3 or newer (scripts/lab builds one to try with)";

  /** No such file, and a file whose driver is not there. */
  private static final Set<Errno> NO_FILE = EnumSet.of(Errno.ENOENT, Errno.ENXIO, Errno.ENODEV);

  /** Makes the check; whatever it throws is a finding too. */
  Finding look(Supplier<Finding> look) {
    try {
      return look.get();
    } catch (RuntimeException e) {
      return failed(e);
    }
  }

  /** It is there and works. */
  Finding ok(String observed) {
    return Finding.ok(check, observed);
  }

  /** It is not there. */
  Finding absent(String observed) {
    return lacks(observed, ifAbsent);
  }

  /** Something of it is not there. */
  Finding lacks(String observed, String next) {
    return new Finding(check, without, observed, purpose, next);
  }

  /** It can't be used, for this reason. */
  Finding failed(RuntimeException failure) {
    return switch (failure) {
      case KernelException e when e.call().equals("open") && NO_FILE.contains(e.errno()) ->
          absent(said(e));
      case KernelException e -> because(said(e), e.advice().or(() -> unknown(e)));
      case PreconditionException e ->
          because(e.tried() + ": " + e.observed(), Optional.of(e.advice()));
      default ->
          because(Objects.toString(failure.getMessage(), failure.toString()), Optional.empty());
    };
  }

  private Finding because(String observed, Optional<Advice> advice) {
    return new Finding(
        check,
        without,
        observed,
        advice.map(Advice::cause).orElse(purpose),
        advice
            .map(Advice::next)
            .orElse("dmesg may have the reason; iolite --trace doctor shows the calls"));
  }

  private static Optional<Advice> unknown(KernelException e) {
    return e.errno() == Errno.ENOTTY
        ? Optional.of(new Advice("this kernel does not have the call", OTHER_KERNEL))
        : Optional.empty();
  }

  /** What the kernel said to a call. */
  static String said(KernelException e) {
    return e.call() + " on " + e.subject() + ": " + e.said();
  }
}
