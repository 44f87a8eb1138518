package dev.iolite.cli;

import dev.iolite.cli.held.HeldCommand;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code iolite tdi bind}: makes the process that holds a device bind its interface. */
@Command(
    name = "bind",
    description = {
      "Binds the interface of a device that a process holds, and splits its BARs.",
      "The process is 'iolite tdi assign BDF --hold' in another terminal."
    })
final class TdiBindCommand extends HeldCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    return tell("bind");
  }
}
