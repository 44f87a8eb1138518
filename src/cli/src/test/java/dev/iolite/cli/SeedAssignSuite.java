package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code tdi assign} where a TSM in software binds: all of it, for guests of type SW_PROTECTED. */
abstract class SeedAssignSuite {
  private static final String IVSHMEM = "0000:00:07.0";

  @TempDir private Path directory;

  private final String kernel;

  /**
   * The suite on a kernel.
   *
   * @param kernel as {@code --kernel} names it
   */
  SeedAssignSuite(String kernel) {
    this.kernel = kernel;
  }

  private Cli assign(String input, String... more) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "--kernel", kernel, "tdi", "assign", "--all", "--run-dir", directory.toString()));
    words.addAll(List.of(more));
    return Cli.runWith(input, words.toArray(String[]::new));
  }

  private void assertGivenBack(Cli cli) {
    assertThat(cli.err()).isEmpty();
    assertThat(cli.code()).isZero();
    assertThat(cli.out())
        .containsPattern("look for the device: [0-9a-f]{4}:[0-9a-f]{4}\n")
        .contains("check that nothing is left: all is as before")
        .doesNotContain("WRONG");
    assertThat(directory).isEmptyDirectory();
  }

  /** What succeeds is a line for each stage, and what was proved comes last. */
  @Test
  void theLastScreenSaysWhatWasProved() {
    Cli cli =
        Cli.run(
            "--kernel", kernel, "tdi", "assign", "--run-dir", directory.toString(), "0000:00:07.0");

    assertThat(cli.code()).as(cli.err()).isZero();
    assertThat(cli.out())
        .startsWith("Assigns 0000:00:07.0 to a guest of its own, a VM of type ")
        .containsSubsequence(
            "1  give the BARs to guest and IOAS, shared: ",
            " steps, ",
            " checks",
            "7  stop and unbind the interface: ",
            "give everything back: ",
            "What was mapped",
            "What was checked",
            "while shared",
            "while running",
            "the host does not reach BAR",
            "Nothing is missing here (UAPI profile seed-2025).",
            "checks were in order, and nothing is held any more.")
        .containsPattern("(?m)^BAR2 .* private ")
        .contains("\n  a private read reaches BAR2+0x0 (private), BAR2+0x3000 (private)\n")
        .doesNotContain("VFIO_DEVICE_FEATURE", "now shared", "WRONG");
    assertThat(cli.out().lines().filter(line -> line.startsWith("ok ")))
        .hasSize(11)
        .allMatch(line -> line.contains(" step"));
  }

  @ParameterizedTest
  @CsvSource({
    "0000:00:02.0, '1 dma-buf(s), 1 memory slot(s), 0 map(s)', BAR0+0x0",
    "0000:00:03.0, '2 dma-buf(s), 2 memory slot(s), 1 map(s)', BAR0+0x0",
    "0000:00:07.0, '2 dma-buf(s), 3 memory slot(s), 1 map(s)', BAR2+0x3000"
  })
  void aDeviceGoesThroughItsWholeLife(String device, String plan, String lastPrivate) {
    Cli cli = assign("", device);
    assertThat(cli.out())
        .contains("no nest parent: the IOMMU's driver has none", "vIOMMU 4 of type TDX")
        .contains("UAPI profile seed-2025", plan)
        .containsSubsequence(
            "now shared", "now withdrawn", "now locked", "now split", "now running", "now shared")
        .contains("a shared read does not reach %s (private): not reached".formatted(lastPrivate))
        .contains("a private read does not reach %s (private): not".formatted(lastPrivate))
        .contains("a private read reaches %s (private): 0x".formatted(lastPrivate))
        .contains("the host does not reach %s (private): not reached".formatted(lastPrivate))
        .contains("the device measures the same for guest and host")
        .contains("Nothing is missing here (UAPI profile seed-2025).")
        .contains("checks were in order, and nothing is held any more.");
    assertGivenBack(cli);
  }

  @Test
  void aGuestThatIsHeldAsksForAllOfIt() {
    Cli cli =
        assign(
            """
            write 0x2000000 0x12345678
            ask bind
            convert 0x2000 4K shared
            ask report 0x2000
            ask validate
            read 0x2000000 private
            ask start
            read 0x2000000 private 4
            read 0x2000000 shared 4
            write 0x2003000 0x5a5a5a5a private
            read 0x2003000 private
            ask unbind
            read 0x2003000
            quit
            """,
            "--hold",
            IVSHMEM);
    assertThat(cli.after("ask bind")).contains("now split", "the VMM grants it: bind");
    assertThat(cli.after("ask report 0x2000")).contains("the VMM grants it: report");
    assertThat(cli.after("ask validate")).contains("grants it: validate BAR2 private 0x3000");
    assertThat(cli.after("read 0x2000000 private")).contains("private: not reached");
    assertThat(cli.after("ask start")).contains("now running");
    assertThat(cli.after("read 0x2000000 private 4")).contains("private: 0x12345678");
    assertThat(cli.after("read 0x2000000 shared 4")).contains("shared: not reached");
    assertThat(cli.after("read 0x2003000 private")).contains("private: 0x5a5a5a5a");
    assertThat(cli.after("ask unbind")).contains("now shared", "the VMM grants it: unbind");
    assertThat(cli.after("read 0x2003000")).contains("shared: 0x5a5a5a5a");
    assertGivenBack(cli);
  }

  /** Its processor would run whatever is there instead, until the deadline. */
  @Test
  void aGuestIsNotMadeToLoseItsOwnCode() {
    List<String> words =
        List.of(
            "read 0x1000 private",
            "write 0x1ffc 1 shared",
            "convert 0 8K private",
            "ask report 0x1000",
            "ask measurements 0x1000");
    Cli cli = assign("ask bind\n" + String.join("\n", words) + "\nquit\n", "--hold", IVSHMEM);
    assertThat(cli.err().lines().filter(line -> line.contains("has the guest's own code")))
        .hasSameSizeAs(words);
    assertThat(cli.after("ask bind")).contains("now split");
  }

  @ParameterizedTest
  @ValueSource(strings = {"sw-protected", "sw_protected", "SW_PROTECTED"})
  void theTypeOfItsVmCanBeNamed(String type) {
    Cli cli = assign("quit\n", "--hold", "--vm", type, IVSHMEM);
    assertThat(cli.out()).contains("(type SW_PROTECTED)").doesNotContain("--vm chooses another");
    assertGivenBack(cli);
  }

  @Test
  void aPlainVmHasNothingPrivateAndIsRefused() {
    Cli cli = assign("", "--vm", "default", IVSHMEM);
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.err())
        .contains("the guest of such a VM has nothing private", "--vm sw-protected");
  }

  @Test
  void aTypeThatCanNotBeLaunchedIsNoneToName() {
    Cli cli = assign("", "--vm", "sev", IVSHMEM);
    assertThat(cli.code()).isEqualTo(ExitCode.USAGE);
    assertThat(cli.err())
        .contains("there is no type of VM 'sev'; there are default, sw-protected, tdx, snp");
  }
}
