package dev.iolite.cli;

import dev.iolite.cli.drawing.Xml;
import dev.iolite.kernel.PreconditionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** A program's run as JUnit reports a test: what CI systems show. */
final class JunitReport {
  private static final int SIGNALLED = 128;
  private static final double NANOS_PER_SECOND = 1e9;

  private JunitReport() {}

  /**
   * Writes the report.
   *
   * @param status the program's exit code, or 128 and the number of the signal that ended it
   */
  static void write(Path file, List<String> command, int status, long nanos, CallCounts calls) {
    String name = Xml.escaped(String.join(" ", command));
    String seconds = String.format(Locale.ROOT, "%.3f", nanos / NANOS_PER_SECOND);
    String failure = status == 0 ? "" : "    <failure message=\"%s\"/>\n".formatted(end(status));
    String text =
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuite name="iolite mock run" tests="1" failures="%d" errors="0" skipped="0" time="%s">
          <testcase classname="iolite mock run" name="%s" time="%s">
        %s    <system-out>%s</system-out>
          </testcase>
        </testsuite>
        """
            .formatted(
                status == 0 ? 0 : 1, seconds, name, seconds, failure, Xml.escaped(calls.text()));
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new PreconditionException(
          "write " + file,
          e.getClass().getSimpleName() + " " + e.getMessage(),
          "its directory is missing, or is not yours",
          "name another file after --junit; the program itself ended with " + status);
    }
  }

  private static String end(int status) {
    return status > SIGNALLED
        ? "ended by signal " + (status - SIGNALLED)
        : "exited with code " + status;
  }
}
