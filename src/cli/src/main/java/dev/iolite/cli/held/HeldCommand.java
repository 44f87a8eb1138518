package dev.iolite.cli.held;

import dev.iolite.cli.ExitCode;
import dev.iolite.cli.IoliteCommand;
import dev.iolite.cli.RunDirectory;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.PrivateDirectory;
import dev.iolite.pci.PciAddress;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** The common part of commands that talk to the process that holds a device. */
public abstract class HeldCommand extends IoliteCommand {
  private static final Pattern CODE = Pattern.compile("\\d{1,3}");

  @Parameters(
      arity = "0..1",
      paramLabel = "BDF",
      description = "such as 0000:00:07.0 or 00:07.0 (default: the only one that is held)")
  private Optional<PciAddress> address = Optional.empty();

  @Mixin private final RunDirectory directory = new RunDirectory();

  /** Runs a command in that process and prints its output; returns its exit code. */
  protected final int tell(String command) {
    Map<String, String> answer = ask(command, output().isJson() ? "json" : "table");
    output().laidOut(answer.getOrDefault("out", ""));
    return code(answer);
  }

  /** Runs a command in that process; {@link HeldSocket} describes the answer. */
  protected final Map<String, String> ask(String command, String format) {
    return ask(command, format, Map.of());
  }

  /** As {@link #ask(String, String)}, with more members in the request. */
  protected final Map<String, String> ask(String command, String format, Map<String, String> more) {
    Map<String, String> request = output().terminal().description();
    request.put("command", command);
    request.put("format", format);
    request.putAll(more);
    try (PrivateDirectory found =
        directory.find().orElseThrow(() -> HeldClient.notHeld(directory.path(), address))) {
      HeldClient client = new HeldClient(found);
      return client.ask(address.orElseGet(client::only), request, stopRequested());
    }
  }

  /** Whether the socket is gone, as when a process has given everything back. */
  protected final boolean hasEnded() {
    try (CloseStack open = new CloseStack()) {
      return directory.find().map(open::push).stream()
          .flatMap(found -> found.names().stream().filter(found::hasSocket))
          .flatMap(name -> RunDirectory.device(name).stream())
          .noneMatch(held -> address.isEmpty() || held.equals(address.get()));
    }
  }

  /** The exit code of an answer; prints why it is not 0. */
  protected final int code(Map<String, String> answer) {
    answer.getOrDefault("err", "").lines().forEach(this::error);
    String code = answer.getOrDefault("code", "");
    return CODE.matcher(code).matches() ? Integer.parseInt(code) : ExitCode.INTERNAL;
  }
}
