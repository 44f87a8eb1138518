package dev.iolite.cli;

import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.SysFs;
import java.util.Map;
import java.util.regex.Pattern;
import picocli.CommandLine.Help.Ansi;

/**
 * Whether what is written to a descriptor is coloured: each is looked at on its own, where the Java
 * runtime and picocli only tell whether standard input and output both are a terminal.
 */
final class Colours {
  /** Standard input. */
  static final int IN = 0;

  /** Standard output. */
  static final int OUT = 1;

  /** Standard error. */
  static final int ERR = 2;

  private static final Pattern TERMINAL =
      Pattern.compile("/dev/(pts/\\d+|tty\\w+|hvc\\d+|console)");

  private Colours() {}

  /** On for a terminal, unless NO_COLOR (no-color.org) or the kind of terminal forbids it. */
  static Ansi of(Kernel kernel, int descriptor, Map<String, String> environment) {
    boolean wanted =
        environment.getOrDefault("NO_COLOR", "").isEmpty()
            && !environment.getOrDefault("TERM", "").equals("dumb");
    return wanted && isTerminal(kernel, descriptor) ? Ansi.ON : Ansi.OFF;
  }

  /** Whether a descriptor is a terminal. */
  static boolean isTerminal(Kernel kernel, int descriptor) {
    try {
      String file = new SysFs(kernel).readlink("/proc/self/fd/" + descriptor);
      return TERMINAL.matcher(file).matches();
    } catch (KernelException _) {
      // It is closed, or there is no /proc.
      return false;
    }
  }
}
