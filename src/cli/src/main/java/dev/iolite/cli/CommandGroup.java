package dev.iolite.cli;

import picocli.CommandLine.ParameterException;

/** A command that only has subcommands. */
abstract class CommandGroup extends IoliteCommand implements Runnable {
  @Override
  public final void run() {
    throw new ParameterException(spec().commandLine(), "which command?");
  }
}
