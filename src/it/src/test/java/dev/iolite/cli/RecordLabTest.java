package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.MockKernel;
import dev.iolite.mock.recording.RecordedFunction;
import dev.iolite.mock.recording.RecordingFile;
import dev.iolite.mock.recording.Replay;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The lab's machine, recorded: on the recording, each command prints what it prints in the lab. */
@Tag("lab")
class RecordLabTest {
  private static final String NVME = "0000:00:03.0";

  @TempDir private Path directory;
  private Path file;

  @BeforeEach
  void record() throws IOException {
    Cli cli = Cli.run("record");
    assertThat(cli.code()).as(cli.err()).isZero();
    file = Files.writeString(directory.resolve("lab.yaml"), cli.out());
  }

  private String replayed(String... command) {
    List<String> all = new ArrayList<>(List.of("--kernel", "mock:" + file));
    all.addAll(List.of(command));
    Cli cli = Cli.run(all.toArray(String[]::new));
    return cli.out() + cli.err();
  }

  private void printsTheSame(String... command) {
    Cli seen = Cli.run(command);
    assertThat(replayed(command)).as(String.join(" ", command)).isEqualTo(seen.out() + seen.err());
  }

  @Test
  void functionsPrintTheSame() throws IOException {
    printsTheSame("pci", "list");
    for (RecordedFunction function : RecordingFile.read(file).functions()) {
      printsTheSame("pci", "show", function.address().toString());
      printsTheSame("vfio", "info", function.address().toString());
      printsTheSame("iommu", "info", function.address().toString());
    }
    printsTheSame("tsm", "list");
  }

  @Test
  void whatVfioSaysAboutAFunctionThatItHasIsThereAgain() throws IOException {
    Cli.run("pci", "bind", NVME);
    try {
      record();
      assertThat(Files.readString(file)).contains("vfio:", "{index: 7, bytes: \"0x1000\", ");
      printsTheSame("vfio", "info", NVME);
      printsTheSame("pci", "show", NVME);
      isRecordedAgainExceptForKvm();
    } finally {
      Cli.run("pci", "unbind", NVME);
    }
  }

  @Test
  void doctorPrintsTheSame() {
    printsTheSame("doctor");
  }

  /**
   * KVM says more in the lab: the model lacks calls, and the events of KVM_CAP_SYNC_REGS. Kernels
   * with patches let more hypercalls leave the guest than the plain model does.
   */
  @Test
  @Tag("stock")
  void kvmPrintsTheSameExceptForCapabilitiesThatTheModelLacks() {
    List<String> seen = words(Cli.run("kvm", "info").out());
    List<String> ofModel;
    try (MockKernel model = MockKernel.plain()) {
      ofModel = words(Cli.runOn(model, "kvm", "info").out());
    }
    int capabilities = seen.indexOf("CAPABILITY VALUE");
    List<String> expected = new ArrayList<>(seen.subList(0, capabilities + 1));
    List<String> names = seen.stream().skip(capabilities + 1).map(RecordLabTest::name).toList();
    ofModel.stream()
        .skip(ofModel.indexOf("CAPABILITY VALUE") + 1)
        .filter(line -> names.contains(name(line)))
        .forEach(expected::add);
    assertThat(words(replayed("kvm", "info"))).isEqualTo(expected);
  }

  private static String name(String line) {
    return line.split(" ", 2)[0];
  }

  /** Its columns are as wide as the longest name. */
  private static List<String> words(String table) {
    return table.lines().map(line -> line.strip().replaceAll(" +", " ")).toList();
  }

  @Test
  void aRecordingOfTheReplayIsTheSameExceptForKvm() throws IOException {
    isRecordedAgainExceptForKvm();
  }

  private void isRecordedAgainExceptForKvm() throws IOException {
    String seen = Files.readString(file);
    assertThat(withoutKvm(replayed("record"))).isEqualTo(withoutKvm(seen));
  }

  private static String withoutKvm(String text) {
    return text.substring(0, text.indexOf("\nkvm:")) + text.substring(text.indexOf("\ntsms:"));
  }

  @Test
  void aPassthroughOfARecordedDeviceSucceeds() throws IOException {
    Cli.run("record");
    try (MockKernel model = Replay.of(file).build()) {
      Cli cli = Cli.runOn(model, "passthrough", "00:02.0");
      assertThat(cli.code()).as(cli.out() + cli.err()).isZero();
    }
  }
}
