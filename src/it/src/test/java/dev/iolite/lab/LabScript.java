package dev.iolite.lab;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/** {@code scripts/lab}, run as a user runs it. */
final class LabScript {
  /** Maven's test plugins start in the project's directory. */
  private static final Path SCRIPT = Path.of("scripts", "lab");

  private LabScript() {}

  /**
   * How a run of the script ended.
   *
   * @param exitCode 125 if the lab itself failed
   * @param output what it wrote on standard output and standard error, in the order it came
   */
  record Result(int exitCode, String output) {}

  /** Skips the calling test, with the script's own reason, where the lab is not built. */
  static void assumeBuilt() throws IOException, InterruptedException {
    assumeBuilt("stock");
  }

  /** As {@link #assumeBuilt()}, with a kernel. */
  static void assumeBuilt(String kernel) throws IOException, InterruptedException {
    Result status = run("--kernel", kernel, "status");
    Assumptions.assumeTrue(
        status.exitCode() == 0,
        () ->
            "%s; scripts/lab --kernel %s build does it".formatted(status.output().strip(), kernel));
  }

  /** The script has deadlines of its own for everything that may take long. */
  static Result run(String... arguments) throws IOException, InterruptedException {
    return runScript(SCRIPT, arguments);
  }

  /** As {@link #run}, of another script. */
  static Result runScript(Path script, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(script.toString()));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Result(process.waitFor(), output);
    } finally {
      // Ends QEMU too, if this test is interrupted.
      process.destroy();
      process.waitFor(10, TimeUnit.SECONDS);
    }
  }
}
