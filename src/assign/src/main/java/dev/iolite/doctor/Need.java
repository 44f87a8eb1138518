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
 * @param codes what a finding is called if it is missing
 * @param absence why it matters, and what to do if the kernel does not have it
 */
record Need(String check, Finding.Status without, Codes codes, Advice absence) {
  /** The errnos for a file that does not exist, and for one whose driver does not. */
  private static final Set<Errno> NO_FILE = EnumSet.of(Errno.ENOENT, Errno.ENXIO, Errno.ENODEV);

  private static final Set<Errno> FORBIDDEN = EnumSet.of(Errno.EACCES, Errno.EPERM);

  Need(String check, Finding.Status without, Codes codes, String purpose, String ifAbsent) {
    this(check, without, codes, new Advice(purpose, ifAbsent));
  }

  /**
   * The codes of the ways in which it can be missing.
   *
   * @param absent the kernel does not have it, or there is no node for it
   * @param forbidden this process may not open it
   * @param failed anything else
   */
  record Codes(FindingCode absent, FindingCode forbidden, FindingCode failed) {
    /** The codes of something that files show, or would show if they could be read. */
    static Codes ofFiles(FindingCode absent, FindingCode unread) {
      return new Codes(absent, unread, unread);
    }

    /** The code of something that can only fail as a whole. */
    static Codes only(FindingCode code) {
      return new Codes(code, code, code);
    }

    private FindingCode of(RuntimeException failure) {
      if (!(failure instanceof KernelException e) || !e.call().equals("open")) {
        return failed;
      }
      if (NO_FILE.contains(e.errno())) {
        return absent;
      }
      return FORBIDDEN.contains(e.errno()) ? forbidden : failed;
    }
  }

  /**
   * Something that another kernel may have.
   *
   * @param ifAbsent what to do if this one does not have it, before booting another
   */
  static Need ofKernel(
      String check, Finding.Status without, Codes codes, String purpose, String ifAbsent) {
    return new Need(
        check,
        without,
        codes,
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
    return new Need(check, Finding.Status.OPTIONAL, codes, absence).attempt(look);
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
    return finding(observed, codes.absent(), absence);
  }

  /** A part of it is missing. */
  Finding lacks(FindingCode code, String observed, String next) {
    return lacks(code, observed, next, Remedy.NONE);
  }

  /** A part of it is missing, and there is a remedy. */
  Finding lacks(FindingCode code, String observed, String next, Remedy remedy) {
    return finding(observed, code, new Advice(purpose(), next, remedy));
  }

  /** It cannot be used, for this reason. */
  Finding failed(RuntimeException failure) {
    FindingCode code = codes.of(failure);
    return switch (failure) {
      case KernelException e when isAbsence(e) -> absent(said(e));
      case KernelException e -> because(said(e), code, e.advice());
      case PreconditionException e ->
          because(e.tried() + ": " + e.observed(), code, Optional.of(e.advice()));
      default ->
          because(
              Objects.toString(failure.getMessage(), failure.toString()), code, Optional.empty());
    };
  }

  private static boolean isAbsence(KernelException e) {
    return e.call().equals("open")
        && !e.subject().startsWith("/dev/")
        && NO_FILE.contains(e.errno());
  }

  private Finding because(String observed, FindingCode code, Optional<Advice> advice) {
    return finding(
        observed,
        code,
        advice.orElseGet(
            () -> new Advice(purpose(), "dmesg may have the reason", Remedy.TRACE_CHECKS)));
  }

  private Finding finding(String observed, FindingCode code, Advice advice) {
    return new Finding(check, without, observed, Optional.of(code), advice);
  }

  /** What the kernel answered to a call. */
  static String said(KernelException e) {
    return e.call() + " on " + e.subject() + ": " + e.said();
  }
}
