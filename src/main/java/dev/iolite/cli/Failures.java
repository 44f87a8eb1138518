package dev.iolite.cli;

import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.passthrough.ScenarioException;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.ParseResult;

/** Says what went wrong in a person's words, and turns it into an exit code. */
final class Failures implements IExecutionExceptionHandler {
  @Override
  public int handleExecutionException(Exception e, CommandLine command, ParseResult parsed) {
    PrintWriter err = command.getErr();
    err.println(command.getColorScheme().errorText("iolite: " + text(e)));
    for (Throwable suppressed : e.getSuppressed()) {
      err.println(command.getColorScheme().errorText("  and on the way out: " + suppressed));
    }
    if (Main.of(command).options().verbose()) {
      e.printStackTrace(err);
    }
    return code(e);
  }

  private static String text(Exception e) {
    return code(e) == ExitCode.INTERNAL
        ? "internal error: " + e + " (run again with --verbose and report it)"
        : String.valueOf(e.getMessage());
  }

  private static int code(Exception e) {
    return switch (e) {
      case KernelException _ -> ExitCode.KERNEL;
      case PreconditionException _ -> ExitCode.PRECONDITION;
      case ScenarioException _ -> ExitCode.CHECK_FAILED;
      default -> ExitCode.INTERNAL;
    };
  }
}
