package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;

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
    return run(kernel, "", Terminals.pipe(), arguments);
  }

  /** Runs a command that reads a text, on the host's kernel. */
  static Cli runWith(String input, String... arguments) {
    return run(new HostKernel(), input, Terminals.pipe(), arguments);
  }

  /** Runs a command that reads a text, on a kernel. */
  static Cli runOnWith(Kernel kernel, String input, String... arguments) {
    return run(kernel, input, Terminals.pipe(), arguments);
  }

  /** Runs a command whose output and errors go to a terminal, on the host's kernel. */
  static Cli runAt(Terminal terminal, String... arguments) {
    return run(new HostKernel(), "", terminal, arguments);
  }

  private static Cli run(Kernel kernel, String input, Terminal terminal, String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    Input in = new Input(new BufferedReader(new StringReader(input)), false);
    int code =
        Main.commandLine(
                kernel,
                in,
                new PrintWriter(out),
                () -> terminal,
                new PrintWriter(err),
                () -> terminal,
                arguments)
            .execute(arguments);
    return new Cli(code, out.toString(), err.toString());
  }

  /** What a line of input led to, up to the next one. */
  String after(String line) {
    String start = "\n> " + line + "\n";
    assertThat(out).contains(start);
    String rest = out.substring(out.indexOf(start) + start.length());
    int end = rest.indexOf("\n> ");
    return end < 0 ? rest : rest.substring(0, end);
  }
}
