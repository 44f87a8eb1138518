package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.MockKernel;
import dev.iolite.mock.remote.MockHost;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class MockCommandTest {
  @TempDir private Path directory;

  @Test
  void aServedModelIsUsedByCommandsAndEndsWithASignal() throws IOException, InterruptedException {
    Path socket = directory.resolve("host");
    Process server =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "mock",
                "serve",
                socket.toString(),
                "mock:tdx:v6")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader said =
        new BufferedReader(
            new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8))) {
      assertThat(said.readLine()).contains("process " + server.pid(), "mock@" + socket);
      assertThat(Cli.run("--kernel", "mock@" + socket, "pci", "list").out())
          .contains("0000:00:07.0");
      assertThat(statusOfThreads(server.pid()))
          .as("nothing that it executes gets more privileges")
          .anyMatch(status -> status.contains("NoNewPrivs:\t1"));
      server.destroy();
      assertThat(server.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(socket).doesNotExist();
    } finally {
      server.destroyForcibly();
    }
  }

  private static List<String> statusOfThreads(long pid) throws IOException {
    List<String> all = new ArrayList<>();
    try (DirectoryStream<Path> threads =
        Files.newDirectoryStream(Path.of("/proc/" + pid + "/task"))) {
      for (Path thread : threads) {
        all.add(Files.readString(thread.resolve("status")));
      }
    }
    return all;
  }

  @Test
  void onlyAModelIsServed() {
    Cli host = Cli.run("mock", "serve", directory.resolve("host").toString(), "host");
    assertThat(host.code()).isEqualTo(2);
    assertThat(host.err()).contains("only a model can be served");
  }

  @Test
  void optionsThatMeanNothingToItAreUnknown() {
    for (String option : List.of("--trace", "--kernel=mock:sev")) {
      Cli served = Cli.run("mock", "serve", option, directory.resolve("host").toString(), "host");
      assertThat(served.code()).isEqualTo(2);
      assertThat(served.err()).contains("Unknown option: '%s'".formatted(option));
    }
  }

  @Test
  void aPathThatIsTakenIsRefused() {
    Path socket = directory.resolve("host");
    try (MockHost host = MockHost.start(socket, MockKernel.builder())) {
      Cli second = Cli.run("mock", "serve", host.socket().toString(), "mock:plain");
      assertThat(second.code()).isEqualTo(4);
      assertThat(second.err()).contains("another mock host is running");
    }
  }

  @Test
  void aHostThatIsNotThereIsSaidToBeMissing() {
    Cli none = Cli.run("--kernel", "mock@" + directory.resolve("none"), "pci", "list");
    assertThat(none.code()).isEqualTo(4);
    assertThat(none.err()).contains("iolite mock serve");
  }
}
