package dev.iolite.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.MockKernel;
import dev.iolite.mock.door.Door;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * QEMU, which knows nothing of the model, passes a device of the model through to a guest, and
 * Linux's driver in the guest uses it: configuration space, registers, interrupts and DMA. The
 * guest runs in QEMU's own emulator: the model's KVM runs no such guest.
 */
@Timeout(600)
class QemuGuestIT {
  private static final String FUNCTION = "0000:00:03.0";

  /** The disk gets a partition, which the guest is to find; then the guest gets the disk. */
  private static final String SCRIPT =
      """
      exec < /dev/null > %1$s/output 2>&1
      cd /sys/bus/pci/devices/%2$s
      echo %2$s > driver/unbind
      echo vfio-pci > driver_override
      echo %2$s > /sys/bus/pci/drivers_probe
      qemu-io -f raw -c 'write -s %1$s/sector 0 512' nvme://%2$s/1 || exit
      exec qemu-system-x86_64 -accel tcg -m 512 -nodefaults -nographic -no-reboot -serial stdio \
        -kernel %1$s/kernel -append 'console=ttyS0 panic=-1 root=/dev/nvme0n1 rootwait=60' %3$s
      """;

  private static final int SECTOR = 512;
  private static final int FIRST_PARTITION = 446;
  private static final int TYPE = 4;
  private static final int START = 8;
  private static final int LENGTH = 12;
  private static final int LINUX = 0x83;
  private static final int SIGNATURE = 510;

  @TempDir private static Path directory;

  enum Interface {
    GROUP("-device vfio-pci,host=" + FUNCTION),
    IOMMUFD("-object iommufd,id=iommufd -device vfio-pci,iommufd=iommufd,host=" + FUNCTION);

    private final String options;

    Interface(String options) {
      this.options = options;
    }
  }

  @BeforeAll
  static void stage() throws IOException, InterruptedException {
    LabScript.assumeBuilt();
    Assumptions.assumeTrue(
        knows("command -v qemu-io && command -v qemu-system-x86_64"),
        "there is no QEMU: apt-get install qemu-utils qemu-system-x86");
    LabScript.Result staged =
        LabScript.run("stage", "--as-built", directory.toString(), "--version");
    assertThat(staged.exitCode()).as(staged.output()).isZero();
    ByteBuffer sector = ByteBuffer.allocate(SECTOR).order(ByteOrder.LITTLE_ENDIAN);
    sector.put(FIRST_PARTITION + TYPE, (byte) LINUX);
    sector.putInt(FIRST_PARTITION + START, 2048);
    sector.putInt(FIRST_PARTITION + LENGTH, 4096);
    sector.putShort(SIGNATURE, (short) 0xaa55);
    Files.write(directory.resolve("sector"), sector.array());
  }

  private static boolean knows(String question) throws IOException, InterruptedException {
    return new ProcessBuilder("sh", "-c", question)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start()
            .waitFor()
        == 0;
  }

  @ParameterizedTest
  @EnumSource
  void aGuestsDriverFindsTheModelsDiskAndWhatIsOnIt(Interface with) throws Exception {
    Assumptions.assumeTrue(
        with == Interface.GROUP || knows("qemu-system-x86_64 -object help | grep -qw iommufd"),
        "this machine's QEMU has no iommufd: version 9 has");
    new Door(MockKernel.builder(), (kernel, _) -> kernel)
        .run(List.of("sh", "-c", SCRIPT.formatted(directory, FUNCTION, with.options)));
    assertThat(Files.readString(directory.resolve("output")))
        .contains("wrote 512/512 bytes", "nvme0n1: p1", "1/0/0 default/read/poll queues")
        .containsPattern("65536 nvme0n1")
        .containsPattern("2048 nvme0n1p1")
        .doesNotContainPattern("nvme.*timeout");
  }
}
