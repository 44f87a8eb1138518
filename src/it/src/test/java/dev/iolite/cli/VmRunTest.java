package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.MockKernel;
import dev.iolite.vmm.SmallKernel;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code iolite vm run} refuses before the guest's first instruction; nothing stays open. */
class VmRunTest {
  private final MockKernel model = MockKernel.plain();
  private List<String> held = List.of();

  @TempDir private Path directory;

  @BeforeEach
  void look() {
    held = model.held();
  }

  @AfterEach
  void nothingIsHeld() {
    assertThat(model.held()).isEqualTo(held);
    model.close();
  }

  private void assertRefused(int code, String message, Path kernel, String... options) {
    List<String> command = new ArrayList<>(List.of("vm", "run", "--kernel", kernel.toString()));
    command.addAll(Arrays.asList(options));
    Cli cli = Cli.runOn(model, command.toArray(String[]::new));
    assertThat(cli.err()).contains(message);
    assertThat(cli.code()).isEqualTo(code);
    assertThat(cli.out()).isEmpty();
  }

  private Path image(SmallKernel kernel) throws IOException {
    return kernel.writeTo(directory.resolve("bzImage"));
  }

  private Path good() throws IOException {
    return image(new SmallKernel().powerOff());
  }

  private Path sparse(String name, long bytes) throws IOException {
    Path file = directory.resolve(name);
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(bytes);
    }
    return file;
  }

  @Test
  void aKernelThatIsNone() throws IOException {
    assertRefused(ExitCode.PRECONDITION, "it is no regular file", directory);
    assertRefused(ExitCode.PRECONDITION, "it is no regular file", Path.of("/dev/zero"));
    assertRefused(
        ExitCode.PRECONDITION, "it has no setup header", Files.createFile(directory.resolve("x")));
    assertRefused(ExitCode.PRECONDITION, "it has 1073741825 bytes", sparse("huge", (1L << 30) + 1));
    assertRefused(ExitCode.PRECONDITION, "it has no setup header", sparse("zeros", 1L << 30));
    Path whole = good();
    byte[] setup = Arrays.copyOf(Files.readAllBytes(whole), 1024);
    assertRefused(
        ExitCode.PRECONDITION, "it ends within its setup part", Files.write(whole, setup));
  }

  @Test
  void aKernelOfAnotherBootProtocol() throws IOException {
    assertRefused(
        ExitCode.PRECONDITION,
        "its boot protocol is 2.11, without the 64-bit entry",
        image(new SmallKernel().header(0x206, 0x20b)));
    assertRefused(
        ExitCode.PRECONDITION,
        "its boot protocol is 2.15, without the 64-bit entry",
        image(new SmallKernel().header(0x236, 0)));
  }

  @Test
  void whatDoesNotFitIntoMemory() throws IOException {
    Path kernel = good();
    assertRefused(
        ExitCode.PRECONDITION,
        "it needs the memory from 0x1000000 to 0x1200000, and the guest's ends at 0x1000000",
        kernel,
        "--memory=16M");
    String initrd = "--initrd=" + sparse("initrd", 64 << 20);
    assertRefused(
        ExitCode.PRECONDITION,
        "load the initrd of 67108864 bytes: 48234496 bytes are free",
        kernel,
        "--memory=64M",
        initrd);
    assertRefused(ExitCode.PRECONDITION, "it is no regular file", kernel, "--initrd=" + directory);
    assertRefused(
        ExitCode.PRECONDITION, "it takes at most 2047", kernel, "--cmdline=" + "x".repeat(3000));
  }

  @Test
  void ramThatNoGuestHas() throws IOException {
    Path kernel = good();
    assertRefused(ExitCode.PRECONDITION, "above 1 MiB", kernel, "--memory=1M");
    assertRefused(ExitCode.PRECONDITION, "page size", kernel, "--memory=67108865");
    assertRefused(ExitCode.PRECONDITION, "it can have 4 TiB", kernel, "--memory=5T");
    assertRefused(ExitCode.USAGE, "below 2^63", kernel, "--memory=9000000000G");
  }

  @Test
  void aVmThatIsNotLaunchedHere() throws IOException {
    assertRefused(ExitCode.USAGE, "default or sw-protected", good(), "--vm=tdx");
    assertRefused(ExitCode.USAGE, "default or sw-protected", good(), "--vm=snp");
  }

  @Test
  void devicesThatTheGuestCanNotHave() throws IOException {
    Path kernel = good();
    assertRefused(ExitCode.PRECONDITION, "0000:00:1f.7", kernel, "--device=0000:00:1f.7");
    assertRefused(ExitCode.PRECONDITION, "0000:00:02.0", kernel, "--device=0000:00:02.0");
    assertRefused(
        ExitCode.USAGE, "named twice", kernel, "--device=00:02.0", "--device=0000:00:02.0");
    String[] many = new String[32];
    Arrays.setAll(many, i -> "--device=0000:01:%02x.0".formatted(i));
    assertRefused(ExitCode.USAGE, "31 devices at most", kernel, many);
  }
}
