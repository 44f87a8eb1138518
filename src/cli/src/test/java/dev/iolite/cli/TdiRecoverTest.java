package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.PrivateDirectory;
import dev.iolite.kernel.SysFs;
import dev.iolite.kvm.VmType;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.TsmState;
import dev.iolite.rehearsal.Rehearsal;
import dev.iolite.tdi.AssignmentOptions;
import dev.iolite.tdi.TdiAssignment;
import dev.iolite.tdi.journal.Journal;
import dev.iolite.tsm.Profile;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code tdi recover}, after a process that is no more. */
class TdiRecoverTest {
  private static final PciAddress ENDPOINT = PciAddress.parse("0000:00:07.0");

  @TempDir private Path directory;

  private final MockKernel kernel = Rehearsal.of(Platform.TDX, Profile.SEED_2025).kernel();

  private PrivateDirectory run;

  @BeforeEach
  void open() {
    run = PrivateDirectory.make(new HostKernel(), directory);
  }

  @AfterEach
  void exit() {
    run.close();
    kernel.close();
  }

  private Path journal() {
    return directory.resolve(Journal.name(ENDPOINT));
  }

  private Journal begin() {
    return Journal.open(run, ENDPOINT, Journal.THIS_HOST);
  }

  private PciDevice device() {
    return new Pci(kernel).device(ENDPOINT);
  }

  private AssignmentOptions options() {
    return new AssignmentOptions(kernel, ENDPOINT).withVmType(VmType.TDX);
  }

  /** As a process that is killed while the interface runs. */
  private void leave() {
    Journal journal = begin();
    TdiAssignment assignment = new TdiAssignment(options().withJournal(() -> journal));
    assignment.assign();
    assignment.bind();
    assignment.start();
    new SysFs(kernel)
        .list("/proc/self/fd")
        .forEach(number -> kernel.close(Integer.parseInt(number)));
    journal.close();
    assertThat(device().driver()).contains("vfio-pci");
    assertThat(device().tsm().flatMap(TsmState::connect)).contains("tsm0");
  }

  private void assertReleased() {
    assertThat(device().driver()).isEmpty();
    assertThat(device().driverOverride()).isEmpty();
    assertThat(device().tsm().flatMap(TsmState::connect)).isEmpty();
    assertThat(journal()).doesNotExist();
  }

  private Cli recover(String... more) {
    return Cli.runOn(
        kernel,
        Stream.concat(
                Stream.of("tdi", "recover", "--run-dir", directory.toString()), Stream.of(more))
            .toArray(String[]::new));
  }

  @ParameterizedTest
  @ValueSource(strings = {"00:07.0", ""})
  void whatAKilledProcessHeldIsReleasedAndTold(String address) {
    leave();
    Cli cli = address.isEmpty() ? recover() : recover(address);
    assertThat(cli.err()).isEmpty();
    assertThat(cli.code()).isZero();
    assertThat(cli.out())
        .contains("disconnect the TSM: from tsm0")
        .contains("give the device back to its driver: with no driver again")
        .contains("0000:00:07.0 was held by process " + ProcessHandle.current().pid())
        .contains("killed while it was running; released")
        .contains("one of its last steps: start the interface");
    assertReleased();

    Cli again = recover();
    assertThat(again.code()).isZero();
    assertThat(again.out()).contains("Nothing to recover: no journal is left in " + directory);
  }

  @Test
  void asJson() {
    leave();
    JsonNode json = JsonMapper.shared().readTree(recover("-o", "json").out()).get(0);
    assertThat(json.get("device").asString()).isEqualTo("0000:00:07.0");
    assertThat(json.get("found").get("state").asString()).isEqualToIgnoringCase("running");
    assertThat(json.get("steps").toString()).contains("disconnect the TSM", "succeeded");
    assertReleased();
    assertThat(recover("-o", "json").out().strip()).isEqualTo("[ ]");
  }

  @Test
  void aProcessThatRunsIsLeftAlone() {
    try (TdiAssignment assignment = new TdiAssignment(options().withJournal(() -> begin()))) {
      assignment.assign();
      Cli cli = recover();
      assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
      assertThat(cli.err())
          .contains("process " + ProcessHandle.current().pid() + " still has it", "it runs");
      assertThat(device().driver()).contains("vfio-pci");
    }
    assertReleased();
  }

  @Test
  void anAssignmentAfterItSaysRecover() {
    leave();
    Cli cli =
        Cli.runOn(kernel, "tdi", "assign", "--hold", "00:07.0", "--run-dir", directory.toString());
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.err()).contains("Next: iolite tdi recover 0000:00:07.0");
    assertThat(directory.resolve("0000-00-07.0.sock")).doesNotExist();
    assertThat(recover().code()).isZero();
    assertReleased();
  }

  /** The power went while a line was written. */
  @ParameterizedTest
  @ValueSource(strings = {"1f2e3d4c 99 3 {\"event\":\"sta", "1f2", "\u0000\u0000\u0000"})
  void aTornJournalStillTells(String torn) throws IOException {
    leave();
    Files.writeString(journal(), torn, StandardOpenOption.APPEND);
    Cli cli = recover();
    assertThat(cli.err()).isEmpty();
    assertThat(cli.code()).isZero();
    assertThat(cli.out()).contains("killed while it was running");
    assertReleased();
  }

  /** Only the beginning of its first record had reached the disk, so nothing was done yet. */
  @ParameterizedTest
  @ValueSource(strings = {"", "1f2e3d4c 1 0 {\"ev", "1f2e\u0000\u0000", "\u0000\u0000"})
  void aJournalWithoutARecordReleasesNothing(String text) throws IOException {
    Files.writeString(journal(), text);
    Cli cli = recover();
    assertThat(cli.err()).isEmpty();
    assertThat(cli.code()).isZero();
    assertReleased();
  }

  private void assertKept(Cli cli, byte[] content) throws IOException {
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.err())
        .contains("read the journal of 0000:00:07.0, " + journal(), "delete the file", "Next: ");
    assertThat(journal()).hasBinaryContent(content);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nonsense",
        "nonsense\n",
        "null\n",
        "{\"event\":\"connecting\"}\n",
        "00000000 1 0 {\"event\":\"begin\"}\n",
        "x\u0000",
        "\u00ff\u00fe\n"
      })
  void whatIsNoJournalIsKeptAndNamed(String text) throws IOException {
    byte[] content = text.getBytes(StandardCharsets.ISO_8859_1);
    Files.write(journal(), content);
    assertKept(recover(), content);
    Cli assigned = Cli.runOn(kernel, "tdi", "assign", "00:07.0", "--run-dir", directory.toString());
    assertThat(assigned.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(assigned.err()).contains("Next: iolite tdi recover 0000:00:07.0");
  }

  /** Each byte of what was sure to be on the disk, changed, makes the journal unreadable. */
  @Test
  void aDamagedJournalIsKeptAndReleasesNothing() throws IOException {
    leave();
    byte[] whole = Files.readAllBytes(journal());
    String text = new String(whole, StandardCharsets.UTF_8);
    int end = text.indexOf('\n', text.indexOf("connecting"));
    for (int at = 0; at < end; at += 13) {
      byte[] damaged = whole.clone();
      damaged[at] ^= 1;
      Files.write(journal(), damaged);
      assertKept(recover(), damaged);
      assertThat(device().driver()).contains("vfio-pci");
      assertThat(device().tsm().flatMap(TsmState::connect)).contains("tsm0");
    }
    Files.write(journal(), whole);
    assertThat(recover().code()).isZero();
    assertReleased();
  }

  /** The names would become paths in sysfs; whoever planted the journal knows its checksums. */
  @ParameterizedTest
  @CsvSource({
    "driver, driver, ../../../../../tmp/evil",
    "driver, override, ../evil",
    "driver, driver, a/b",
    "driver, driver, ..",
    "driver, override, .",
    "driver, driver, ''",
    "connecting, tsm, ../../../../../tmp/evil",
    "connecting, tsm, tsm0/../tsm1",
    "connecting, tsm, ''"
  })
  void aPlantedNameIsNoPath(String event, String key, String name) throws IOException {
    leave();
    String text = Files.readString(journal());
    String line =
        text.lines().filter(each -> each.contains('"' + event + '"')).findFirst().orElseThrow();
    String[] parts = line.split(" ", 4);
    Map<String, String> entry =
        new TreeMap<>(
            JsonMapper.shared().readValue(parts[3], new TypeReference<Map<String, String>>() {}));
    entry.put(key, name);
    String planted =
        "%s %s %s".formatted(parts[1], parts[2], JsonMapper.shared().writeValueAsString(entry));
    CRC32C checksum = new CRC32C();
    checksum.update(planted.getBytes(StandardCharsets.UTF_8));
    byte[] content =
        text.replace(line, "%08x %s".formatted(checksum.getValue(), planted))
            .getBytes(StandardCharsets.UTF_8);
    Files.write(journal(), content);
    Cli cli = recover();
    assertKept(cli, content);
    assertThat(cli.err()).contains("has a name that no driver and no TSM has");
    assertThat(device().driver()).contains("vfio-pci");
    assertThat(device().tsm().flatMap(TsmState::connect)).contains("tsm0");
  }

  @Test
  void aJournalOfManyBytesIsNotRead() throws IOException {
    try (RandomAccessFile sparse = new RandomAccessFile(journal().toFile(), "rw")) {
      sparse.setLength(8L << 30);
    }
    Cli cli = recover();
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.err()).contains("it has more than 4194304 bytes");
    assertThat(journal()).exists();
  }

  @Test
  void aDirectoryThatOthersReachIsRefused() throws IOException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    for (String command : List.of("recover", "assign 00:07.0", "assign --hold", "show")) {
      String[] words = "tdi %s --run-dir %s".formatted(command, directory).split(" ", -1);
      Cli cli = Cli.runOn(kernel, words);
      assertThat(cli.code()).as(command).isEqualTo(ExitCode.PRECONDITION);
      assertThat(cli.err()).as(command).contains("its mode is 0755", "--run-dir DIR");
    }
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void anotherFileIsNoJournal() throws IOException {
    Files.writeString(directory.resolve("notes.journal"), "x");
    assertThat(recover().out()).contains("Nothing to recover");
    assertThat(directory.resolve("notes.journal")).exists();
  }

  @Test
  void aJournalThatCantBeReadIsTold() throws IOException {
    Files.createDirectory(journal());
    Cli cli = recover();
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.err()).contains("the kernel said EISDIR", journal().toString());
  }

  @Test
  void whoeverIsStoppedLeavesNoJournal() {
    AtomicBoolean stopped = new AtomicBoolean();
    TdiAssignment assignment =
        new TdiAssignment(options().withStop(stopped::get).withJournal(() -> begin()));
    assignment.assign();
    stopped.set(true);
    assignment.close();
    assertReleased();
  }
}
