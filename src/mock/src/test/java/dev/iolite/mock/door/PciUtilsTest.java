package dev.iolite.mock.door;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.iolite.mock.MockKernel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** lspci and setpci, which everybody uses first, show and set what the model's functions have. */
@Timeout(120)
class PciUtilsTest {
  @TempDir private Path directory;

  @BeforeAll
  static void onlyWithPciUtils() throws Exception {
    assumeTrue(
        CProgram.runHere(List.of("sh", "-c", "command -v lspci")).status() == 0,
        "there is no lspci: apt-get install pciutils");
  }

  private String run(String script) throws Exception {
    Path output = directory.resolve("output");
    String whole = "exec > %s; %s".formatted(output, script);
    int status =
        new Door(MockKernel.builder(), (kernel, _) -> kernel).run(List.of("sh", "-c", whole));
    assertThat(status).isZero();
    return Files.readString(output);
  }

  @Test
  void theyListFunctionsWithTheirDrivers() throws Exception {
    assertThat(run("lspci -D -n -k"))
        .contains(
            "0000:00:02.0 00ff: 1234:11e8 (rev 10)\n",
            "0000:00:03.0 0108: 1b36:0010 (rev 02)\n",
            "\tKernel driver in use: nvme\n",
            "0000:01:02.0 00ff: 1af4:1005\n");
  }

  @Test
  void theyDecodeCapabilitiesAndBars() throws Exception {
    assertThat(run("lspci -n -vvv -s 00:03.0"))
        .contains(
            "IOMMU group: 2",
            "Memory at 80100000 (64-bit, non-prefetchable) [size=16K]",
            "MSI-X: Enable+ Count=65 Masked-",
            "Vector table: BAR=0 offset=00002000",
            "FLReset+",
            "Power Management version 3")
        .doesNotContain("unknown", "<access denied>");
  }

  @Test
  void aRegisterThatIsSetReadsSo() throws Exception {
    assertThat(run("setpci -s 00:02.0 COMMAND=6; setpci -s 00:02.0 COMMAND; lspci -vv -s 00:02.0"))
        .startsWith("0006\n")
        .contains("Control: I/O- Mem+ BusMaster+");
  }
}
