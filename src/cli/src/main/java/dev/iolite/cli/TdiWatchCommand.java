package dev.iolite.cli;

import dev.iolite.cli.CommonOptions.Format;
import dev.iolite.cli.held.HeldCommand;
import dev.iolite.cli.held.HeldWatch;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.steps.ScenarioException;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import picocli.CommandLine.Command;

/** {@code iolite tdi watch}: follows a held device. */
@Command(
    name = "watch",
    description = {
      "Follows a device that a process holds: its state, what happened last, and what is mapped"
          + " where. Ends when the process gives the device back; Ctrl-C ends only the watching.",
      "On a terminal, the picture is renewed in place; elsewhere, and if TERM is dumb, each event"
          + " is a line.",
      "The process is 'iolite tdi assign BDF --hold' in another terminal."
    })
final class TdiWatchCommand extends HeldCommand implements Callable<Integer> {
  private static final Set<Format> FORMATS =
      Collections.unmodifiableSet(EnumSet.of(Format.TABLE, Format.JSONL));

  @Override
  Set<Format> formats() {
    return FORMATS;
  }

  @Override
  public Integer call() {
    if (output().isJson()) {
      return follow(answer -> output().laidOut(answer.getOrDefault("out", "")));
    }
    if (!isDrawnInPlace()) {
      return follow(
          answer -> answer.getOrDefault("news", "").lines().forEach(line -> output().line(line)));
    }
    int code;
    try (Screen screen = output().screen()) {
      code = follow(answer -> screen.show(drawn(answer), Terminal.rows(new HostKernel())));
    }
    output().line("The device is no longer watched.");
    return code;
  }

  private boolean isDrawnInPlace() {
    String kind = Optional.ofNullable(System.getenv("TERM")).orElse("");
    return output().terminal().isTerminal() && !kind.isEmpty() && !kind.equals("dumb");
  }

  private String drawn(Map<String, String> answer) {
    return Printable.laidOut(
        answer.getOrDefault("out", ""), output().terminal().colours().enabled());
  }

  /** Asks for news again and again, until there can be no more. */
  private int follow(Consumer<Map<String, String>> shown) {
    String seen = "";
    while (!output().isBroken()) {
      Map<String, String> answer;
      try {
        answer = ask(HeldWatch.COMMAND, output().format().toString(), Map.of("seen", seen));
      } catch (ScenarioException e) {
        if (stopRequested().getAsBoolean()) {
          return ExitCode.OK;
        }
        throw e;
      } catch (PreconditionException e) {
        if (!seen.isEmpty() && hasEnded()) {
          return ExitCode.OK;
        }
        throw e;
      }
      int code = code(answer);
      if (code != ExitCode.OK) {
        return code;
      }
      boolean hasEnded = Boolean.parseBoolean(answer.get("ended"));
      String now = answer.getOrDefault("seen", "0");
      if (hasEnded || !now.equals(seen)) {
        shown.accept(answer);
      }
      if (hasEnded) {
        return ExitCode.OK;
      }
      seen = now;
    }
    return ExitCode.OK;
  }
}
