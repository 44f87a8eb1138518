package dev.iolite.cli;

import java.util.Map;
import picocli.CommandLine.ParameterException;

/** A command that only has subcommands. */
abstract class CommandGroup extends IoliteCommand implements Runnable {
  /**
   * The classes of its subcommands by name, in the order of its help, where they are many. Few are
   * in its annotation.
   */
  Map<String, Class<?>> subcommands() {
    return Map.of();
  }

  @Override
  public final void run() {
    throw new ParameterException(spec().commandLine(), "which command?");
  }
}
