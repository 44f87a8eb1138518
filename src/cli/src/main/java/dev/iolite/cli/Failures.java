package dev.iolite.cli;

import dev.iolite.kernel.DeviceFaultException;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kvm.GuestDeadlineException;
import dev.iolite.kvm.GuestStoppedException;
import dev.iolite.mock.recording.MalformedRecordingException;
import dev.iolite.steps.ScenarioException;
import dev.iolite.tdi.evidence.MalformedMeasurementsException;
import dev.iolite.tdi.evidence.UntrustedEvidenceException;
import dev.iolite.tdi.layout.MalformedLayoutException;
import dev.iolite.tdi.layout.MalformedReportException;
import dev.iolite.tdi.profile.TsmCallException;
import dev.iolite.tdi.profile.UnsupportedByProfileException;
import dev.iolite.vfio.MalformedReplyException;
import dev.iolite.vmm.GuestFailedException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.ParseResult;

/** Explains failures to people, and turns them into exit codes. */
public final class Failures implements IExecutionExceptionHandler {
  @Override
  public int handleExecutionException(Exception e, CommandLine command, ParseResult parsed) {
    Output errors = Main.errors(command);
    lines(e).forEach(errors::error);
    if (Main.of(command).options().verbose()) {
      StringWriter trace = new StringWriter();
      e.printStackTrace(new PrintWriter(trace));
      errors.verbatim(trace.toString().stripTrailing().replace("\t", "    "));
    }
    return code(e);
  }

  /** Reports that an Error has ended a command; returns the exit code. */
  static int handle(Error e, CommandLine command) {
    lines(e).forEach(Main.errors(command)::error);
    if (Main.of(command).options().verbose()) {
      e.printStackTrace(command.getErr());
    }
    return ExitCode.INTERNAL;
  }

  /** What went wrong, and what else went wrong during the clean-up. */
  public static List<String> lines(Throwable e) {
    List<String> lines = new ArrayList<>();
    lines.add("iolite: " + text(e));
    for (Throwable suppressed : e.getSuppressed()) {
      lines.add("  and on the way out: " + Remedies.in(suppressed.toString(), suppressed));
    }
    return lines;
  }

  private static String text(Throwable e) {
    return code(e) == ExitCode.INTERNAL
        ? "internal error: " + e + " (run again with --verbose and report it)"
        : Remedies.message(e);
  }

  /** The exit code for a failure. */
  public static int code(Throwable e) {
    return switch (e) {
      case ScenarioException _,
          GuestDeadlineException _,
          GuestStoppedException _,
          GuestFailedException _,
          DeviceFaultException _,
          MalformedReportException _,
          MalformedLayoutException _,
          MalformedMeasurementsException _,
          MalformedRecordingException _,
          UntrustedEvidenceException _ ->
          ExitCode.CHECK_FAILED;
      case KernelException _, TsmCallException _, MalformedReplyException _ -> ExitCode.KERNEL;
      case PreconditionException _, UnsupportedByProfileException _ -> ExitCode.PRECONDITION;
      // Kvm's exception says that the API has another version; one without a message comes from a
      // collection, so it is a bug.
      case UnsupportedOperationException api when api.getMessage() != null -> ExitCode.PRECONDITION;
      default -> ExitCode.INTERNAL;
    };
  }
}
