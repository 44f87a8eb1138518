package dev.iolite.cli;

import dev.iolite.cli.held.HeldCommand;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code iolite tdi unbind}: makes the process that holds a device unbind its interface. */
@Command(
    name = "unbind",
    description = {
      "Stops and unbinds the interface of a device that a process holds, and shares its BARs.",
      "The process is 'iolite tdi assign BDF --hold' in another terminal."
    })
final class TdiUnbindCommand extends HeldCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    return tell("unbind");
  }
}
