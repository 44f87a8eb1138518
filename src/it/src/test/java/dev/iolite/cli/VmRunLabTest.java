package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.HostKernel;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.vmm.SmallKernel;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The process of {@code iolite vm run}: its exit codes, its terminal, and what ends it. */
@Tag("lab")
@Timeout(300)
class VmRunLabTest {
  private static final long PAGE = 0x180_0000;
  private static final int OF_SIGNAL = 128;

  private final List<Process> started = new ArrayList<>();

  @TempDir private Path directory;

  @AfterEach
  void end() {
    started.forEach(Process::destroyForcibly);
  }

  private Process start(SmallKernel kernel, File terminal, String... options) throws IOException {
    List<String> command = new ArrayList<>(List.of("iolite", "vm", "run", "--kernel"));
    command.add(kernel.writeTo(directory.resolve("bzImage")).toString());
    if (!List.of(options).contains("--memory")) {
      command.addAll(List.of("--memory", "64M"));
    }
    command.addAll(List.of(options));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectInput(Redirect.from(terminal))
            .start();
    started.add(process);
    return process;
  }

  private static String said(Process process) throws IOException {
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
  }

  private void assertEnd(int code, String said, SmallKernel kernel, String... options)
      throws IOException, InterruptedException {
    Process process = start(kernel, new File("/dev/null"), options);
    String all = said(process);
    assertThat(process.waitFor()).as(all).isEqualTo(code);
    assertThat(all).contains(said);
  }

  private static SmallKernel kernel() {
    return new SmallKernel();
  }

  @Test
  void theExitCodeSaysHowTheGuestEnded() throws IOException, InterruptedException {
    assertEnd(ExitCode.OK, "off", kernel().print("off").powerOff());
    assertEnd(ExitCode.GUEST_RESET, "again", kernel().print("again").reset());
    assertEnd(ExitCode.GUEST_PANIC, "panic", kernel().print("panic").panic());
    assertEnd(ExitCode.GUEST_TRIPLE_FAULT, "oops", kernel().print("oops").tripleFault());
  }

  @Test
  void nonsenseToPortsEndsNothing() throws IOException, InterruptedException {
    SmallKernel kernel = kernel().nonsenseToPorts();
    // The console's line control and modem control.
    kernel.out8(0x3fb, 3).out8(0x3fc, 0).print("alive").powerOff();
    assertEnd(ExitCode.OK, "alive", kernel);
  }

  @Test
  void aGuestConvertsAPageOfItsMemory() throws IOException, InterruptedException {
    SmallKernel kernel = kernel().store(PAGE, 0x1111).convert(PAGE, true);
    kernel.printIf(PAGE, 0, 'f').store(PAGE, 0x2222).printIf(PAGE, 0x2222, 'p');
    kernel.convert(PAGE, false).printIf(PAGE, 0x1111, 's');
    kernel.convert(PAGE, true).printIf(PAGE, 0, 'g').powerOff();
    assertEnd(ExitCode.OK, "fpsg", kernel, "--vm", "sw-protected");
  }

  /** Waits until the terminal's settings are, or are not, as they were. */
  private static void awaitSettings(Pty terminal, byte[] before, boolean same) {
    while (Arrays.equals(terminal.settings(), before) != same) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
    }
  }

  @Test
  void allKeysAreTheGuestsAndTheTerminalIsAsItWasAfterwards() throws Exception {
    try (Pty terminal = new Pty()) {
      byte[] before = terminal.settings();
      Process process = start(kernel().print("type:").echoUntil('q').powerOff(), terminal.file());
      awaitSettings(terminal, before, false);
      Process resized = new ProcessBuilder("kill", "-WINCH", Long.toString(process.pid())).start();
      assertThat(resized.waitFor()).isZero();
      terminal.type("\u0003\u001a\u001c\u0001\u0001q");
      assertThat(said(process)).isEqualTo("type:\u0003\u001a\u001c\u0001q");
      assertThat(process.waitFor()).isEqualTo(ExitCode.OK);
      assertThat(terminal.settings()).isEqualTo(before);
    }
  }

  @Test
  void aGuestThatSpinsWithInterruptsOffIsStopped() throws Exception {
    try (Pty terminal = new Pty()) {
      byte[] before = terminal.settings();
      Process process = start(kernel().spin(), terminal.file());
      awaitSettings(terminal, before, false);
      terminal.type("\u0001x");
      assertThat(process.waitFor()).isEqualTo(ExitCode.GUEST_STOPPED);
      assertThat(terminal.settings()).isEqualTo(before);
    }
  }

  @Test
  void aSignalEndsItAndTheTerminalIsAsItWas() throws Exception {
    try (Pty terminal = new Pty()) {
      byte[] before = terminal.settings();
      Process process = start(kernel().spin(), terminal.file());
      awaitSettings(terminal, before, false);
      process.destroy();
      assertThat(process.waitFor()).isEqualTo(OF_SIGNAL + 15);
      assertThat(terminal.settings()).isEqualTo(before);
    }
  }

  @Test
  void aGuestWhoseOutputNobodyReadsRunsOn() throws Exception {
    Path typed = Files.writeString(directory.resolve("typed"), "q");
    Process process =
        start(kernel().print("x".repeat(100)).echoUntil('q').powerOff(), typed.toFile());
    process.getInputStream().close();
    assertThat(process.waitFor()).isEqualTo(ExitCode.OK);
  }

  @Test
  void whatDoesNotFitIsSaidAndTheTerminalIsNotTouched() throws Exception {
    try (Pty terminal = new Pty()) {
      byte[] before = terminal.settings();
      Process process = start(kernel().powerOff(), terminal.file(), "--memory", "2M");
      assertThat(said(process)).contains("it needs the memory from 0x1000000 to 0x1200000");
      assertThat(process.waitFor()).isEqualTo(ExitCode.PRECONDITION);
      assertThat(terminal.settings()).isEqualTo(before);
    }
  }

  /**
   * drivers/iommu/iommu.c:iommu_device_claim_dma_owner: virtio-pci has the group's other device.
   */
  @Test
  void aDeviceWhoseGroupIsTheHostsIsRefused() throws Exception {
    PciAddress edu = PciAddress.parse("0000:01:01.0");
    try (DriverBinding _ = DriverBinding.bind(new Pci(new HostKernel()).device(edu), "vfio-pci")) {
      Process process =
          start(kernel().powerOff(), new File("/dev/null"), "--device", edu.toString());
      assertThat(said(process)).startsWith("iolite: ").contains(edu.toString());
      assertThat(process.waitFor()).isIn(ExitCode.PRECONDITION, ExitCode.KERNEL);
    }
  }
}
