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
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process that is killed in the middle of an assignment, anywhere: recovery leaves nothing held.
 * A third as many times the recovery is killed too.
 */
@ExtendWith(Kills.class)
class KillTest {
  /** More than two lives. */
  private static final int MOST_STEPS = 250;

  /** About as many as a recovery makes that has something to release. */
  private static final int MOST_CALLS = 120;

  @TempDir private Path directory;

  @Test
  void whereverItIsKilledRecoveryReleasesAllThatItHeld(int kills)
      throws IOException, InterruptedException {
    Random random = new Random(20250717);
    try (Journals journals = new Journals(directory.resolve("journals"));
        MockHost host =
            MockHost.start(
                directory.resolve("host.sock"), MockKernel.builder().platform(Platform.TDX))) {
      Holdings before = holdings(host);
      for (int i = 0; i < kills; i++) {
        int after = 1 + random.nextInt(MOST_STEPS);
        String last = killAfter(after, host, journals);
        try (RemoteKernel kernel = RemoteKernel.connect(host.socket())) {
          journals.recover(kernel, Life.ENDPOINT);
          assertThat(Holdings.of(kernel, Life.ENDPOINT))
              .as("run %d, killed after %d steps, the last: %s", i, after, last)
              .isEqualTo(before);
          assertThat(host.kernel().tsm().state(Life.ENDPOINT.toString())).isEmpty();
          assertThat(journals.recover(kernel, Life.ENDPOINT)).as("a second recovery").isEmpty();
        }
        assertThat(journals.directory().names()).isEmpty();
      }
    }
  }

  /** The recovery is killed too, as often as it can be, and ends all the same when it is let. */
  @Test
  void aRecoveryThatIsKilledIsRepeatedUntilItEnds(int kills)
      throws IOException, InterruptedException {
    Random random = new Random(20250718);
    try (Journals journals = new Journals(directory.resolve("journals"));
        MockHost host =
            MockHost.start(
                directory.resolve("host.sock"), MockKernel.builder().platform(Platform.TDX))) {
      Holdings before = holdings(host);
      int cut = 0;
      int runs = Math.max(1, kills / 3);
      for (int i = 0; i < runs; i++) {
        killAfter(1 + random.nextInt(MOST_STEPS), host, journals);
        int calls = 1 + random.nextInt(MOST_CALLS);
        String last = killRecovery(calls, host, journals);
        cut += Files.exists(journals.file(Life.ENDPOINT)) ? 1 : 0;
        try (RemoteKernel kernel = RemoteKernel.connect(host.socket())) {
          journals.recover(kernel, Life.ENDPOINT);
          assertThat(Holdings.of(kernel, Life.ENDPOINT))
              .as("run %d, killed after %d calls, the last: %s", i, calls, last)
              .isEqualTo(before);
          assertThat(host.kernel().tsm().state(Life.ENDPOINT.toString())).isEmpty();
        }
        assertThat(journals.directory().names()).isEmpty();
      }
      System.out.printf("%d of %d recoveries were killed before their end%n", cut, runs);
    }
  }

  private static Holdings holdings(MockHost host) {
    try (RemoteKernel kernel = RemoteKernel.connect(host.socket())) {
      return Holdings.of(kernel, Life.ENDPOINT);
    }
  }

  private static String killAfter(int steps, MockHost host, Journals journals)
      throws IOException, InterruptedException {
    Process victim = start(KilledLife.class, host, journals);
    String last = "";
    try (BufferedReader said = output(victim)) {
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

  /** It may also have ended before. */
  private static String killRecovery(int calls, MockHost host, Journals journals)
      throws IOException, InterruptedException {
    Process victim = start(KilledRecovery.class, host, journals);
    String last = "";
    try (BufferedReader said = output(victim)) {
      String line = said.readLine();
      for (int i = 1; i < calls && line != null; i++) {
        last = line;
        line = said.readLine();
      }
    } finally {
      victim.destroyForcibly();
    }
    assertThat(victim.waitFor(30, TimeUnit.SECONDS)).isTrue();
    return last;
  }

  private static BufferedReader output(Process process) {
    return new BufferedReader(
        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  private static Process start(Class<?> victim, MockHost host, Journals journals)
      throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            victim.getName(),
            host.socket().toString(),
            journals.directory().toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }
}
