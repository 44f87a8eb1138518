package dev.iolite.doctor;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostPlatform;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Something that a check looks for.
 *
 * @param check the check's name
 * @param without the status if it is missing: {@code OPTIONAL} or {@code MISSING}
 * @param absence why it matters, and what to do if the kernel does not have it
 */
record Need(String check, Finding.Status without, Advice absence) {
  /** The errnos for a file that does not exist, and for one whose driver does not. */
  private static final Set<Errno> NO_FILE = EnumSet.of(Errno.ENOENT, Errno.ENXIO, Errno.ENODEV);

  Need(String check, Finding.Status without, String purpose, String ifAbsent) {
    this(check, without, new Advice(purpose, ifAbsent));
  }

  /**
   * Something that another kernel may have.
   *
   * @param ifAbsent what to do if this one does not have it, before booting another
   */
  static Need ofKernel(String check, Finding.Status without, String purpose, String ifAbsent) {
    return new Need(
        check,
        without,
        new Advice(purpose, ifAbsent + HostPlatform.OTHER_KERNEL, Remedy.OTHER_KERNEL));
  }

  /** Why it matters. */
  String purpose() {
    return absence.cause();
  }

  /** Makes the calls that an assignment makes; an exception from them is a finding too. */
  Finding attempt(Supplier<Finding> attempt) {
    try {
      return attempt.get();
    } catch (RuntimeException e) {
      return failed(e);
    }
  }

  /**
   * Looks at files that no assignment needs to read: a file that cannot be read does not mean that
   * something is missing.
   */
  Finding look(Supplier<Finding> look) {
    return new Need(check, Finding.Status.OPTIONAL, absence).attempt(look);
  }

  /**
   * Like {@link #look}, for something that the use of a device has proved, whatever the files show.
   */
  Finding look(DeviceTrial trial, Supplier<Finding> look) {
    Finding seen = look(look);
    return trial instanceof DeviceTrial.Done && seen.status() != Finding.Status.OK
        ? ok(trial.summary() + "; " + seen.observed())
        : seen;
  }

  /** It exists and works. */
  Finding ok(String observed) {
    return Finding.ok(check, observed);
  }

  /** It is missing. */
  Finding absent(String observed) {
    return new Finding(check, without, observed, absence);
  }

  /** A part of it is missing. */
  Finding lacks(String observed, String next) {
    return lacks(observed, next, Remedy.NONE);
  }

  /** A part of it is missing, and there is a remedy. */
  Finding lacks(String observed, String next, Remedy remedy) {
    return new Finding(check, without, observed, new Advice(purpose(), next, remedy));
  }

  /** It cannot be used, for this reason. */
  Finding failed(RuntimeException failure) {
    return switch (failure) {
      case KernelException e when isAbsence(e) -> absent(said(e));
      case KernelException e -> because(said(e), e.advice());
      case PreconditionException e ->
          because(e.tried() + ": " + e.observed(), Optional.of(e.advice()));
      default ->
          because(Objects.toString(failure.getMessage(), failure.toString()), Optional.empty());
    };
  }

  private static boolean isAbsence(KernelException e) {
    return e.call().equals("open")
        && !e.subject().startsWith("/dev/")
        && NO_FILE.contains(e.errno());
  }

  private Finding because(String observed, Optional<Advice> advice) {
    return new Finding(
        check,
        without,
        observed,
        advice.orElseGet(
            () -> new Advice(purpose(), "dmesg may have the reason", Remedy.TRACE_CHECKS)));
  }

  /** What the kernel answered to a call. */
  static String said(KernelException e) {
    return e.call() + " on " + e.subject() + ": " + e.said();
  }
}
