package dev.iolite.mock.door;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.iolite.mock.MockKernel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * QEMU's NVMe driver in user space, which iolite's developers did not write, drives the model's
 * controller: by a group and type 1, with its BAR mapped and an interrupt for its queues.
 */
@Timeout(120)
class QemuDriverTest {
  private static final String SCRIPT =
      """
      exec < /dev/null > %s 2>&1
      cd /sys/bus/pci/devices/0000:00:03.0
      echo 0000:00:03.0 > driver/unbind
      echo vfio-pci > driver_override
      echo 0000:00:03.0 > /sys/bus/pci/drivers_probe
      exec qemu-io -f raw %s nvme://0000:00:03.0/1
      """;

  @TempDir private Path scratch;

  @BeforeAll
  static void onlyWithQemu() {
    String path = System.getenv().getOrDefault("PATH", "");
    Assumptions.assumeTrue(
        Arrays.stream(path.split(":", -1))
            .anyMatch(directory -> Files.isExecutable(Path.of(directory, "qemu-io"))),
        "there is no qemu-io: apt-get install qemu-utils");
  }

  private CProgram.Run run(String... commands) throws Exception {
    Path output = scratch.resolve("output");
    String options =
        Arrays.stream(commands).map("-c '%s'"::formatted).reduce("", (all, one) -> all + " " + one);
    int status =
        new Door(MockKernel.builder(), (kernel, _) -> kernel)
            .run(List.of("sh", "-c", SCRIPT.formatted(output, options)));
    return new CProgram.Run(status, Files.readString(output));
  }

  @Test
  void itWritesReadsAndFlushes() throws Exception {
    CProgram.Run run =
        run(
            "write -P 0xa5 0 1M",
            "read -P 0xa5 0 1M",
            "write -z 64k 64k",
            "read -P 0 64k 64k",
            "read -P 0xa5 128k 64k",
            "read -P 0 63M 1M",
            "flush",
            "length");
    assertEquals(0, run.status(), run.output());
    assertTrue(run.output().contains("read 1048576/1048576 bytes at offset 0"), run.output());
    assertTrue(run.output().endsWith("64 MiB\n"), run.output());
  }

  @Test
  void itSeesWhatItDidNotWrite() throws Exception {
    assertEquals(1, run("write -P 1 0 4k", "read -P 2 0 4k").status());
  }
}
