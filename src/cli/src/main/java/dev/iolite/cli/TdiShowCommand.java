package dev.iolite.cli;

import dev.iolite.cli.held.HeldCommand;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code iolite tdi show}: the state of a held device. */
@Command(
    name = "show",
    description = {
      "Shows a device that a process holds: its state, the open dma-bufs, what is mapped where, its"
          + " BARs, and whether all of that is consistent.",
      "The process is 'iolite tdi assign BDF --hold' in another terminal."
    })
final class TdiShowCommand extends HeldCommand implements Callable<Integer> {
  @Option(names = "--svg", paramLabel = "FILE", description = "also draw the BARs into this file")
  private Optional<Path> svg = Optional.empty();

  @Override
  public Integer call() {
    int code = tell("show");
    if (svg.isPresent() && code == ExitCode.OK) {
      Map<String, String> drawing = ask("svg", "table");
      code = code(drawing);
      if (code == ExitCode.OK) {
        TdiFiles.write(svg.get(), drawing.getOrDefault("out", ""));
      }
    }
    return code;
  }
}
