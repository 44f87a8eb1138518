package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands of the private half do their work with what their rows have and no more. */
@Tag("seed")
class PrivilegesSeedLabTest {
  private static final String IVSHMEM = "0000:00:07.0";

  @TempDir private Path directory;

  @BeforeEach
  void capabilitiesCanBeTakenAway() throws Exception {
    Confined.assumePossible();
  }

  private Confined confined() {
    return new Confined(directory, List.of("/bin/iolite"));
  }

  private Cli succeeds(String command) throws Exception {
    Cli cli = confined().run("", command);
    assertThat(cli.code()).as(command + ": " + cli.err()).isZero();
    return cli;
  }

  @Test
  void aHeldInterfaceIsBoundShownAndUnbound() throws Exception {
    String target = " --run-dir " + directory.resolve("run") + " " + IVSHMEM;
    Process holder = confined().begin("tdi assign --hold" + target);
    try (BufferedReader printed = holder.inputReader()) {
      assertThat(printed.lines().takeWhile(line -> !line.startsWith("Held.")).toList())
          .noneMatch(line -> line.startsWith("iolite: "));
      succeeds("tdi bind" + target);
      assertThat(succeeds("tdi show" + target).out()).containsPattern("state +split");
      succeeds("tdi unbind" + target);
      assertThat(succeeds("tdi show" + target).out()).containsPattern("state +shared");
    } finally {
      holder.outputWriter().close();
      holder.waitFor();
    }
    assertThat(succeeds("pci show " + IVSHMEM).out()).doesNotContain("vfio-pci");
  }

  @Test
  void aTsmIsConnectedAndDisconnected() throws Exception {
    succeeds("tsm connect " + IVSHMEM);
    assertThat(succeeds("tsm list").out()).contains(IVSHMEM);
    succeeds("tsm disconnect " + IVSHMEM);
  }
}
