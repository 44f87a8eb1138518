package dev.iolite.cli;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import picocli.CommandLine.Help.Ansi;

/**
 * A command that ran in this process.
 *
 * @param code its exit code
 * @param out what it wrote to standard output
 * @param err what it wrote to standard error
 */
record Cli(int code, String out, String err) {

  /** Runs a command on the host's kernel. */
  static Cli run(String... arguments) {
    return runOn(new HostKernel(), arguments);
  }

  /** Runs a command on a kernel. */
  static Cli runOn(Kernel kernel, String... arguments) {
    return runOn(kernel, "", arguments);
  }

  /** Runs a command that reads a text, on the host's kernel. */
  static Cli runWith(String input, String... arguments) {
    return runOn(new HostKernel(), input, arguments);
  }

  private static Cli runOn(Kernel kernel, String input, String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    Input in = new Input(new BufferedReader(new StringReader(input)), false);
    int code =
        Main.commandLine(kernel, in, new PrintWriter(out), Ansi.OFF, new PrintWriter(err), Ansi.OFF)
            .execute(arguments);
    return new Cli(code, out.toString(), err.toString());
  }
}
