package dev.iolite.vmm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kvm.VmType;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Linux in a guest of the lab's machine {@code nested}: the lab's own kernel, with the NVMe
 * controller.
 *
 * <p>A few guests in a hundred crash or wait for ever: the first of two interrupts has just been
 * delivered, its handler has not begun, and the second is there although interrupts are off. It
 * seems to be QEMU's TCG that delivers one of them again when its processors, which share a thread,
 * change turns. Who runs this gives the machine another try.
 */
@Tag("nested")
class VmmLabTest {
  private static final Path KERNEL = Path.of("/host/bzImage");
  private static final Path DISK = Path.of("/dev/nvme0n1");
  private static final PciAddress NVME = PciAddress.parse("0000:00:03.0");
  private static final String OPTIONS = "console=ttyS0 panic=-1 no_timer_check ";
  private static final long MEMORY = 128 << 20;
  private static final int BLOCK = 4096;

  /** A guest that makes no progress is stopped, and what it printed shows where. */
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private static final Duration PROBE = Duration.ofSeconds(30);

  private final HostKernel kernel = new HostKernel();
  private final ByteArrayOutputStream console = new ByteArrayOutputStream();

  @TempDir private Path directory;

  @BeforeAll
  static void theLabGivesItsKernel() {
    assertThat(KERNEL).as("scripts/lab test puts it there").exists();
  }

  private VmConfig config(String script, int cpus, PciAddress... devices) throws IOException {
    return config(VmType.DEFAULT, script, cpus, devices);
  }

  private VmConfig config(VmType type, String script, int cpus, PciAddress... devices)
      throws IOException {
    Path initrd = Files.write(directory.resolve("initrd"), InnerInitrd.of(script));
    return new VmConfig(KERNEL, Optional.of(initrd), OPTIONS, MEMORY, cpus, List.of(devices), type);
  }

  private Outcome run(VmConfig config) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    try (VirtualMachine machine = VirtualMachine.create(kernel, config, console)) {
      return machine.run(() -> System.nanoTime() > end);
    }
  }

  private String printed() {
    return console.toString(StandardCharsets.ISO_8859_1);
  }

  @Test
  void aGuestReadsAndWritesBlocksOfADiskThatIsPassedThrough() throws IOException {
    write(0, "the host wrote this");
    String script =
        """
        head -c 19 /dev/nvme0n1
        echo -n 'the guest wrote this' | dd of=/dev/nvme0n1 bs=4096 seek=1 conv=sync 2> /dev/null
        sync
        grep nvme0q1 /proc/interrupts
        poweroff -f
        """;
    try (DriverBinding _ = DriverBinding.bind(new Pci(kernel).device(NVME), "vfio-pci")) {
      assertThat(run(config(script, 1, NVME))).as(printed()).isEqualTo(Outcome.POWER_OFF);
    }
    assertThat(printed()).contains("the host wrote this").containsPattern("PCI-MSIX-.*nvme0q1");
    assertThat(read(1, 20)).isEqualTo("the guest wrote this");
  }

  @Test
  void processorsAreStartedTheTimeIsRightAndARebootIsAReset() throws IOException {
    String script = "grep -c ^processor /proc/cpuinfo\ndate +time=%s\nreboot -f\n";
    long before = Instant.now().getEpochSecond();
    assertThat(run(config(script, 2))).as(printed()).isEqualTo(Outcome.RESET);
    long after = Instant.now().getEpochSecond();

    Matcher time = Pattern.compile("time=(\\d+)").matcher(printed());
    assertThat(time.results().map(found -> Long.valueOf(found.group(1))))
        .as("what the guest took for the time in\n%s", printed())
        .singleElement(InstanceOfAssertFactories.LONG)
        .isBetween(before, after);
    assertThat(printed()).containsPattern("(?m)^2\r?$").contains("tsc: Detected");
  }

  @Test
  void aKernelThatPanicsSaysSo() throws IOException {
    assertThat(run(config("exit 0\n", 1))).as(printed()).isEqualTo(Outcome.PANIC);
    assertThat(printed()).contains("Attempted to kill init");
  }

  @Test
  void aGuestThatAsksForNoPrivateMemoryUsesSharedMemory() throws IOException {
    String script = "head -c 4 /dev/nvme0n1 | wc -c\npoweroff -f\n";
    try (DriverBinding _ = DriverBinding.bind(new Pci(kernel).device(NVME), "vfio-pci")) {
      assertThat(run(config(VmType.SW_PROTECTED, script, 1, NVME)))
          .as(printed())
          .isEqualTo(Outcome.POWER_OFF);
    }
    assertThat(printed()).containsPattern("(?m)^4\r?$");
  }

  @Test
  void aDeviceThatIsNotAtVfioIsRefusedAndNothingIsHeld() throws IOException {
    VmConfig config = config("", 1, NVME);
    assertThatThrownBy(() -> run(config))
        .isInstanceOfAny(PreconditionException.class, KernelException.class)
        .hasMessageContaining("0000:00:03.0");
  }

  private void write(int block, String text) throws IOException {
    try (RandomAccessFile disk = new RandomAccessFile(disk(), "rws")) {
      byte[] bytes = new byte[BLOCK];
      byte[] content = text.getBytes(StandardCharsets.US_ASCII);
      System.arraycopy(content, 0, bytes, 0, content.length);
      disk.seek((long) block * BLOCK);
      disk.write(bytes);
    }
  }

  private String read(int block, int count) throws IOException {
    try (RandomAccessFile disk = new RandomAccessFile(disk(), "r")) {
      byte[] bytes = new byte[count];
      disk.seek((long) block * BLOCK);
      disk.readFully(bytes);
      return new String(bytes, StandardCharsets.US_ASCII);
    }
  }

  /** The driver finds the disk some time after it has the device. */
  private static String disk() {
    long end = System.nanoTime() + PROBE.toNanos();
    while (!Files.exists(DISK) && System.nanoTime() < end) {
      LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
    }
    return DISK.toString();
  }
}
