package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.tdi.VirtualFunctions;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Virtual functions under the profile v6: the lab's machine {@code sriov} with its kernel v6. */
@Tag("v6-sriov")
class VirtualFunctionV6LabTest {
  @TempDir private Path directory;

  private final VirtualFunctions functions;

  VirtualFunctionV6LabTest() throws IOException {
    functions = new VirtualFunctions();
  }

  @AfterEach
  void removeThem() throws IOException {
    functions.close();
  }

  private Cli assign() {
    return Cli.runWith(
        "",
        "tdi",
        "assign",
        "--all",
        "--run-dir",
        directory.resolve("run").toString(),
        VirtualFunctions.FIRST.toString());
  }

  @Test
  void oneGoesThroughItsWholeLife() {
    functions.connect();
    Cli cli = assign();
    assertThat(cli.err()).isEmpty();
    assertThat(cli.code()).isZero();
    assertThat(cli.out())
        .contains("UAPI profile v6", "check that nothing is left: all is as before")
        .containsSubsequence("now locked", "now split", "now running", "now shared")
        .doesNotContain("WRONG");
    assertThat(functions.connected()).isTrue();
  }

  @Test
  void withoutAConnectionOfTheirPfTheSharedHalfIsDone() {
    Cli cli = assign();
    assertThat(cli.out())
        .contains("no tsm/ in sysfs before a TSM is connected to " + VirtualFunctions.PF)
        .doesNotContain("now locked");
    assertThat(functions.connected()).isFalse();
  }
}
