package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code tdi assign} under the profile v6 where a TSM in software binds. */
abstract class V6AssignSuite {
  private static final String IVSHMEM = "0000:00:07.0";

  @TempDir private Path directory;

  private final String kernel;

  /**
   * The suite on a kernel.
   *
   * @param kernel as {@code --kernel} names it
   */
  V6AssignSuite(String kernel) {
    this.kernel = kernel;
  }

  /** No call tells what is private. */
  @BeforeEach
  final void writeLayout() throws IOException {
    Files.writeString(
        layout(),
        """
        bars:
          - {bar: 0, size: 4K}
          - bar: 2
            size: 1M
            private:
              - {offset: 0, size: 8K}
              - {offset: 12K, size: 1012K}
        """);
  }

  private Path layout() {
    return directory.resolve("layout.yaml");
  }

  private Cli assign(String input, String... more) {
    String[] words = {
      "--kernel", kernel, "tdi", "assign", "--all", "--run-dir", directory.resolve("run").toString()
    };
    String[] all = Arrays.copyOf(words, words.length + more.length);
    System.arraycopy(more, 0, all, words.length, more.length);
    return Cli.runWith(input, all);
  }

  private static void assertGivenBack(Cli cli) {
    assertThat(cli.err()).isEmpty();
    assertThat(cli.code()).isZero();
    assertThat(cli.out())
        .contains("check that nothing is left: all is as before")
        .doesNotContain("WRONG");
  }

  @Test
  void aDeviceGoesThroughItsWholeLife() {
    Cli cli = assign("", "--layout", layout().toString(), IVSHMEM);
    assertThat(cli.out())
        .contains("UAPI profile v6", "no nest parent: the IOMMU's driver has none")
        .contains("1 dma-buf(s), 1 memory slot(s), 1 map(s)")
        .containsSubsequence(
            "now shared", "now withdrawn", "now locked", "now split", "now running", "now shared")
        .contains("the guest's wish to validate BAR2 private 0x3000+0xfd000: answer 0")
        .containsSubsequence(
            "a private read does not reach BAR2+0x3000 (private): not",
            "now running",
            "a shared read does not reach BAR2+0x3000 (private): not",
            "a private read reaches BAR2+0x3000 (private): 0x",
            "the host does not reach BAR2+0x3000 (private): not")
        .contains("a shared read reaches BAR2+0x2000 (shared): 0x")
        .contains("the TSM maps what the guest validates.");
    assertGivenBack(cli);
  }

  @Test
  void withoutALayoutAllIsPrivate() {
    Cli cli = assign("", IVSHMEM);
    assertThat(cli.out())
        .contains("all are taken for private", "0 dma-buf(s), 0 memory slot(s), 0 map(s)")
        .containsSubsequence("now split", "now running", "now shared");
    assertGivenBack(cli);
  }

  @Test
  void aGuestThatIsHeldReachesWhatItHasValidated() {
    Cli cli =
        assign(
            """
            write 0x2003000 0x12345678
            ask bind
            ask start
            read 0x2003000 private
            ask validate
            read 0x2003000 private 4
            ask unbind
            read 0x2003000
            quit
            """,
            "--hold",
            "--layout",
            layout().toString(),
            IVSHMEM);
    assertThat(cli.after("ask bind")).contains("now split");
    assertThat(cli.after("ask start")).contains("now running");
    assertThat(cli.after("read 0x2003000 private")).contains("private: not reached");
    assertThat(cli.after("ask validate")).contains("grants it: validate BAR2 private 0x3000");
    assertThat(cli.after("read 0x2003000 private 4")).contains("private: 0x12345678");
    assertThat(cli.after("ask unbind")).contains("now shared");
    assertThat(cli.after("read 0x2003000")).contains("shared: 0x12345678");
    assertGivenBack(cli);
  }
}
