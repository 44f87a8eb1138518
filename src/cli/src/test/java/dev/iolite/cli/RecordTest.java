package dev.iolite.cli;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.doctor.DeviceInspection;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.device.ConfigImage;
import dev.iolite.mock.pci.Machine;
import dev.iolite.mock.recording.RecordedFunction;
import dev.iolite.mock.recording.RecordingFile;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciRegs;
import dev.iolite.tsm.Profile;
import dev.iolite.uapi.libc.Libc;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A model that is recorded, and the model that is made from the recording. */
class RecordTest {
  private static final String DISK = "0000:00:03.0";

  @TempDir private Path directory;

  private static String succeeds(MockKernel kernel, String... command) {
    Cli cli = Cli.runOn(kernel, command);
    assertThat(cli.code()).as(cli.err()).isZero();
    return cli.out();
  }

  private Path recorded(MockKernel kernel, String... options) throws IOException {
    String[] command = new String[options.length + 1];
    command[0] = "record";
    System.arraycopy(options, 0, command, 1, options.length);
    return Files.writeString(directory.resolve("machine.yaml"), succeeds(kernel, command));
  }

  private static String replayed(Path file, String... command) {
    String[] all = new String[command.length + 2];
    all[0] = "--kernel";
    all[1] = "mock:" + file;
    System.arraycopy(command, 0, all, 2, command.length);
    Cli cli = Cli.run(all);
    return cli.out() + cli.err();
  }

  static List<MockKernel> hosts() {
    return List.of(
        MockKernel.plain(),
        MockKernel.tdx(),
        MockKernel.sev(),
        MockKernel.builder().profile(Profile.SEED_2025).build(),
        MockKernel.builder().platform(Platform.TDX).profile(Profile.V6).build(),
        MockKernel.builder().machine(Machine.sriov()).build());
  }

  @ParameterizedTest
  @MethodSource("hosts")
  void aRecordingOfTheReplayIsTheSame(MockKernel host) throws IOException {
    try (host) {
      Path file = recorded(host);
      assertThat(replayed(file, "record")).isEqualTo(Files.readString(file));
    }
  }

  @ParameterizedTest
  @MethodSource("hosts")
  void everyCommandPrintsTheSameOnTheReplay(MockKernel host) throws IOException {
    try (host) {
      Path file = recorded(host);
      for (RecordedFunction function : RecordingFile.read(file).functions()) {
        String address = function.address().toString();
        for (String command : List.of("pci show", "vfio info", "iommu info")) {
          String[] words = (command + " " + address).split(" ", -1);
          Cli seen = Cli.runOn(host, words);
          assertThat(replayed(file, words))
              .as(command + " " + address)
              .isEqualTo(seen.out() + seen.err());
        }
      }
      for (String command : List.of("pci list", "kvm info", "tsm list", "doctor")) {
        String[] words = command.split(" ", -1);
        Cli seen = Cli.runOn(host, words);
        assertThat(replayed(file, words)).as(command).isEqualTo(seen.out() + seen.err());
      }
    }
  }

  @Test
  void vfsAndTheirDriversAreThereAgain() throws IOException {
    try (MockKernel host = MockKernel.builder().machine(Machine.sriov()).build()) {
      new SysFs(host).write("/sys/bus/pci/devices/0000:02:00.0/sriov_numvfs", "1");
      succeeds(host, "pci", "bind", "02:00.1");
      Path file = recorded(host);
      assertThat(replayed(file, "record")).isEqualTo(Files.readString(file));
      assertThat(replayed(file, "pci", "show", "02:00.1"))
          .contains("VF of 0000:02:00.0", "/dev/vfio/devices/vfio0");
    }
  }

  @Test
  void whatVfioSaysAboutAFunctionThatItHasIsThereAgain() throws IOException {
    try (MockKernel host = MockKernel.plain()) {
      succeeds(host, "pci", "bind", DISK);
      Path file = recorded(host, DISK);
      assertThat(Files.readString(file))
          .contains("{index: 0, bytes: \"0x4000\", flags: ", "{index: 2, count: 65, flags: ");
      assertThat(replayed(file, "record")).isEqualTo(Files.readString(file));
      assertThat(replayed(file, "vfio", "info", DISK))
          .isEqualTo(succeeds(host, "vfio", "info", DISK));
    }
  }

  /** Such as a kernel that knows that a device's INTx is broken. */
  @Test
  void aFunctionHasNoMoreThanVfioSaid() throws IOException {
    try (MockKernel host = MockKernel.plain()) {
      succeeds(host, "pci", "bind", DISK);
      Path file = recorded(host, DISK);
      String text = Files.readString(file);
      Files.writeString(
          file,
          text.lines()
              .filter(line -> !line.contains("{index: 0, count: 1,"))
              .map(line -> line.replaceFirst("(index: 0, bytes: .*flags: \")0x[0-9a-f]+", "$10x3"))
              .collect(Collectors.joining("\n")));
      assertThat(succeeds(host, "vfio", "info", DISK))
          .contains("INTx")
          .containsPattern("BAR0 .*read write map");
      assertThat(replayed(file, "vfio", "info", DISK))
          .doesNotContain("INTx")
          .containsPattern("BAR0 +\\S+ +\\S+ +read write *\n");
    }
  }

  /** Such as one whose ROM the kernel could not read. */
  @Test
  void aRomThatVfioDidNotOfferIsNotOffered() throws IOException {
    try (MockKernel host = MockKernel.plain()) {
      succeeds(host, "pci", "bind", DISK);
      Path file = recorded(host, DISK);
      String text =
          Files.readString(file)
              .replaceFirst(
                  "( +- )(\\{index: 0, start: .*)",
                  "$1$2\n$1{index: 6, start: \"0xe8000000\", end: \"0xe800ffff\", flags:"
                      + " \"0x46200\"}");
      Files.writeString(file, text);
      assertThat(replayed(file, "vfio", "info", DISK)).contains("BAR0").doesNotContain("ROM");
      Files.writeString(file, text.replaceFirst("(?s)    vfio:.*?(    resources:)", "$1"));
      assertThat(replayed(file, "vfio", "info", DISK)).containsPattern("ROM +0x10000 ");
    }
  }

  @Test
  void aFunctionThatSomebodyUsesIsNotDisturbed() {
    try (MockKernel host = MockKernel.plain()) {
      succeeds(host, "pci", "bind", DISK);
      Cli cli;
      try (var _ = new DeviceInspection(host, PciAddress.parse(DISK), Optional.empty())) {
        cli = Cli.runOn(host, "record", DISK);
      }
      assertThat(cli.code()).as(cli.err()).isZero();
      assertThat(cli.out()).doesNotContain("vfio:");
      assertThat(cli.err().replaceAll("\\s+", " "))
          .contains(
              "record 0000:00:03.0: VFIO's regions and interrupts are left out: somebody uses it",
              "(EINVAL)");
    }
  }

  /** Everything in front of it and beside it is needed for it to be what it is. */
  @ParameterizedTest
  @CsvSource({
    "0000:02:00.0, 0000:00:08.0 0000:02:00.0",
    "0000:01:01.0, 0000:00:04.0 0000:01:01.0 0000:01:02.0"
  })
  void aFunctionIsRecordedWithItsGroupAndItsBridges(String address, String needed)
      throws IOException {
    try (MockKernel host = MockKernel.builder().machine(Machine.sriov()).build()) {
      Path file = recorded(host, address);
      assertThat(RecordingFile.read(file).functions())
          .extracting(function -> function.address().toString())
          .containsExactly(needed.split(" ", -1));
      assertThat(replayed(file, "pci", "show", address))
          .isEqualTo(succeeds(host, "pci", "show", address));
    }
  }

  /**
   * drivers/pci/pci-driver.c:pci_pm_runtime_suspend puts a function that nobody uses into D3hot.
   */
  @Test
  void aFunctionThatSleepsIsRecordedAwake() throws IOException {
    try (MockKernel host = MockKernel.plain()) {
      String awake = Files.readString(recorded(host, DISK));
      String config = "/sys/bus/pci/devices/" + DISK + "/config";
      byte[] bytes = new SysFs(host).readBytes(config);
      int control =
          new ConfigImage(bytes).capability(PciRegs.CAP_PM).orElseThrow() + PciRegs.PM_CTRL;
      int fd = host.open(config, Libc.O_RDWR());
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment asleep = arena.allocateFrom(JAVA_BYTE, (byte) (bytes[control] | 3));
        assertThat(host.pwrite(fd, asleep.address(), 1, control)).isEqualTo(1);
      }
      host.close(fd);
      assertThat(new SysFs(host).readBytes(config)[control] & 3).isEqualTo(3);
      assertThat(Files.readString(recorded(host, DISK))).isEqualTo(awake);
    }
  }

  @Test
  void nothingIsChangedAndNoDeviceIsOpened() {
    try (MockKernel host = MockKernel.plain()) {
      String before = succeeds(host, "pci", "show", DISK);
      Cli traced = Cli.runOn(host, "--trace", "record");
      assertThat(traced.code()).isZero();
      assertThat(traced.err())
          .contains("open(/sys/class/iommu", "KVM_CHECK_EXTENSION")
          .doesNotContain("write(", "KVM_CREATE_VM", "/dev/vfio/");
      assertThat(succeeds(host, "pci", "show", DISK)).isEqualTo(before);
    }
  }

  @Test
  void serialNumbersAreBlankedUnlessTheyAreWanted() throws IOException {
    String text = Files.readString(serial(directory.resolve("serial.yaml")));
    assertThat(text).contains("ef be ad de");
    String[] record = {"--kernel", "mock:" + directory.resolve("serial.yaml"), "record"};
    assertThat(Cli.run(record).out()).doesNotContain("ef be ad de").contains("03 00 01 00");
    assertThat(replayed(directory.resolve("serial.yaml"), "record", "--keep-ids")).isEqualTo(text);
  }

  /** The recording of a device with a Device Serial Number. */
  private static Path serial(Path file) throws IOException {
    try (MockKernel host = MockKernel.tdx()) {
      String text = succeeds(host, "record");
      String part = text.substring(text.indexOf("- address: \"0000:00:07.0\""));
      int header = part.indexOf("0x100: ");
      String line = part.substring(header, part.indexOf('\n', header));
      return Files.writeString(
          file,
          text.replace(
              part, part.replace(line, "0x100: 03 00 01 00 ef be ad de ef be ad de 00 00 00 00")));
    }
  }

  @Test
  void aPathMayBeRelative() throws IOException {
    try (MockKernel host = MockKernel.plain()) {
      Path file = recorded(host);
      Path relative = Path.of("").toAbsolutePath().relativize(file);
      assertThat(replayed(relative, "pci", "list")).isEqualTo(succeeds(host, "pci", "list"));
      assertThat(KernelChoice.parse("mock:" + relative).name()).isEqualTo("mock:" + file);
    }
  }

  @Test
  void aBadFileIsRefusedWithItsPlace() throws IOException {
    Path file = Files.writeString(directory.resolve("bad.yaml"), "recording: 7\n");
    Cli bad = Cli.run("--kernel", "mock:" + file, "pci", "list");
    assertThat(bad.code()).isEqualTo(ExitCode.CHECK_FAILED);
    assertThat(bad.err().replaceAll("\\s+", " "))
        .contains(file + ", line 1, column 12: this recording has version 7");
    Cli missing = Cli.run("--kernel", "mock:" + directory + "/none.yaml", "pci", "list");
    assertThat(missing.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(missing.err()).contains("there is no such file");
  }

  @ParameterizedTest
  @ValueSource(strings = {"mock:plian", "mock:", "plain"})
  void whatIsNeitherAPlatformNorAFileIsNamed(String name) {
    Cli cli = Cli.run("--kernel", name, "pci", "list");
    assertThat(cli.code()).isEqualTo(ExitCode.USAGE);
    assertThat(cli.err()).contains("Invalid value for option '--kernel'");
  }

  @Test
  void aFunctionThatIsNotThereIsNamed() {
    Cli cli = Cli.run("--kernel", "mock:plain", "record", "00:1e.0");
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.out()).isEmpty();
    assertThat(cli.err()).contains("0000:00:1e.0");
  }
}
