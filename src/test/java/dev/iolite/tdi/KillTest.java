package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.remote.MockHost;
import dev.iolite.mock.remote.RemoteKernel;
import dev.iolite.steps.Holdings;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process that is killed in the middle of an assignment, anywhere: recovery leaves nothing held.
 * {@code -Diolite.kills=200} makes it as many times.
 */
class KillTest {
  private static final int KILLS = Integer.getInteger("iolite.kills", 12);

  /** More than two lives. */
  private static final int MOST_STEPS = 250;

  @TempDir private Path directory;

  @Test
  void whereverItIsKilledRecoveryReleasesAllThatItHeld() throws IOException, InterruptedException {
    Random random = new Random(20250717);
    Path journals = directory.resolve("journals");
    try (MockHost host =
        MockHost.start(
            directory.resolve("host.sock"), MockKernel.builder().platform(Platform.TDX))) {
      Holdings before = holdings(host);
      for (int i = 0; i < KILLS; i++) {
        int after = 1 + random.nextInt(MOST_STEPS);
        String last = killAfter(after, host, journals);
        try (RemoteKernel kernel = RemoteKernel.connect(host.socket())) {
          new Recovery(kernel, journals, Life.ENDPOINT, AssignmentListener.none()).run();
          assertThat(Holdings.of(kernel, Life.ENDPOINT))
              .as("run %d, killed after %d steps, the last: %s", i, after, last)
              .isEqualTo(before);
          assertThat(host.kernel().tsm().state(Life.ENDPOINT.toString())).isEmpty();
          assertThat(new Recovery(kernel, journals, Life.ENDPOINT, AssignmentListener.none()).run())
              .as("a second recovery")
              .isEmpty();
        }
        try (var files = Files.list(journals)) {
          assertThat(files).isEmpty();
        }
      }
    }
  }

  private static Holdings holdings(MockHost host) {
    try (RemoteKernel kernel = RemoteKernel.connect(host.socket())) {
      return Holdings.of(kernel, Life.ENDPOINT);
    }
  }

  private static String killAfter(int steps, MockHost host, Path journals)
      throws IOException, InterruptedException {
    Process victim =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                KilledLife.class.getName(),
                host.socket().toString(),
                journals.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String last = "";
    try (BufferedReader said =
        new BufferedReader(
            new InputStreamReader(victim.getInputStream(), StandardCharsets.UTF_8))) {
      for (int i = 0; i < steps; i++) {
        String line = said.readLine();
        assertThat(line).as("after %d steps, the last: %s", i, last).isNotNull();
        last = line;
      }
    } finally {
      victim.destroyForcibly();
    }
    assertThat(victim.waitFor(30, TimeUnit.SECONDS)).isTrue();
    return last;
  }
}
