package dev.iolite.mock.door;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.iolite.mock.MockKernel;
import dev.iolite.uapi.UapiHeaders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A program in C, built for a test. */
record CProgram(Path file) {
  private static final Path SOURCES = Path.of("src/mock/src/test/resources/dev/iolite/mock/door");

  /** What a run ended with, and what the program wrote. */
  record Run(int status, String output) {}

  /** Builds one in a directory; the test is skipped if there is no compiler or no headers. */
  static CProgram build(Path directory, String source, String... options)
      throws IOException, InterruptedException {
    UapiHeaders headers = UapiHeaders.orSkip();
    Path built = Files.createTempFile(directory, source, "");
    List<String> command =
        new ArrayList<>(
            List.of(
                "gcc",
                "-O1",
                "-pthread",
                "-isystem",
                headers.headers().toString(),
                "-isystem",
                headers.asmHeaders().toString(),
                "-o",
                built.toString(),
                SOURCES.resolve(source).toString()));
    command.addAll(List.of(options));
    assertEquals(new Run(0, ""), runHere(command));
    return new CProgram(built);
  }

  /** Runs a program on this machine. */
  static Run runHere(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Run(process.waitFor(), said);
  }

  /** What this process has open, but for files with a name, as those with its classes have. */
  static List<String> openFiles() {
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return descriptors
          .flatMap(each -> Processes.link(each.toString()).stream())
          .filter(file -> !Files.exists(Path.of(file)))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs it behind a door; its second argument is the file that it writes to. */
  Run run(MockKernel.Builder host, String what) throws IOException, InterruptedException {
    Path output = Files.createTempFile(file.getParent(), "output", "");
    int status =
        new Door(host, (kernel, _) -> kernel)
            .run(List.of(file.toString(), what, output.toString()));
    return new Run(status, Files.readString(output));
  }
}
