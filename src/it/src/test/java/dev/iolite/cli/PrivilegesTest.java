package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.MockKernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What each command needs is said in one place, and is enough. */
@Timeout(300)
class PrivilegesTest {
  @TempDir private Path directory;

  private static Stream<String> commands(CommandSpec spec, String prefix) {
    List<CommandLine> below =
        spec.subcommands().values().stream()
            .filter(c -> !c.getCommandName().equals("help"))
            .toList();
    return below.isEmpty()
        ? Stream.of(prefix.strip())
        : below.stream()
            .flatMap(c -> commands(c.getCommandSpec(), prefix + " " + c.getCommandName()));
  }

  @Test
  void everyCommandHasItsRow() {
    assertThat(Privileges.ALL)
        .extracting(Privileges::command)
        .containsExactlyInAnyOrderElementsOf(commands(CommandModel.root(), "").toList());
  }

  @Test
  void theDocumentationHasTheSameRows() throws IOException {
    String page = Files.readString(Path.of("docs/hardware.md"));
    assertThat(Privileges.ALL)
        .allSatisfy(row ->
            assertThat(page)
                .contains(
                    "| `%s` | %s | %s | %s | %s |"
                        .formatted(
                            row.command(),
                            row.user(),
                            cell(row.capabilities()),
                            cell(row.nodes()),
                            cell(row.limits()))));
    assertThat(page).contains(Confined.row("passthrough").rootStart().orElseThrow());
  }

  private static String cell(List<?> items) {
    return items.isEmpty() ? "-" : String.join(", ", items.stream().map(Object::toString).toList());
  }

  @Test
  void doctorPrintsThemAndMakesNoCall() {
    MockKernel none = MockKernel.builder().build();
    Cli table = Cli.runOn(none, "doctor", "--privileges");
    assertThat(table.code()).isZero();
    assertThat(table.out())
        .containsPattern("passthrough +root +CAP_SYS_PTRACE, CAP_IPC_LOCK +/dev/iommu")
        .contains("CAP_SYS_PTRACE: without it, whether another process uses a device can't be seen")
        .contains("--bounding-set=-all,+sys_ptrace iolite pci bind");
    JsonNode json =
        JsonMapper.shared().readTree(Cli.runOn(none, "-o", "json", "doctor", "--privileges").out());
    assertThat(json.valueStream())
        .hasSameSizeAs(Privileges.ALL)
        .allSatisfy(row -> assertThat(row.propertyNames()).contains("command", "user", "start"));
  }

  static Stream<Privileges> rows() {
    return Privileges.ALL.stream();
  }

  @ParameterizedTest
  @MethodSource("rows")
  void aProcessThatIsStartedForItHasItsCapabilitiesOnly(Privileges row) throws Exception {
    Confined.assumePossible();
    long bits = 0;
    for (Privileges.Capability capability : row.capabilities()) {
      bits |=
          switch (capability) {
            case CAP_IPC_LOCK -> 1L << 14;
            case CAP_SYS_PTRACE -> 1L << 19;
            case CAP_SYS_ADMIN -> 1L << 21;
          };
    }
    String mask = "%016x".formatted(bits & Confined.own());
    assertThat(new Confined(directory).status(row))
        .contains("CapPrm:\t" + mask, "CapEff:\t" + mask, "CapBnd:\t" + mask)
        .contains("CapInh:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2");
  }

  private static int filtered(String script) throws IOException, InterruptedException {
    Confined.assumePossible();
    return SystemCallFilter.with(
            Confined.row("passthrough"), new ProcessBuilder("sh", "-c", script)::start)
        .waitFor();
  }

  @ParameterizedTest
  @ValueSource(strings = {"exec unshare --net true", "kill -URG $$"})
  void aCallThatNoCommandNeedsKillsIt(String script) throws Exception {
    assertThat(filtered(script)).isEqualTo(SystemCallFilter.KILLED);
  }

  @Test
  void whetherAProcessLivesMayBeAsked() throws Exception {
    assertThat(filtered("kill -0 $$")).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"pci list", "tsm list", "tdi states", "uapi KVM_RUN", "doctor --privileges"})
  void onThisHostItIsEnough(String command) throws Exception {
    Confined.assumePossible();
    Cli cli = new Confined(directory).run("", command);
    assertThat(cli.code()).as(cli.err()).isZero();
    assertThat(cli.err()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "pci bind 0000:00:03.0",
        "vfio info 0000:00:03.0",
        "kvm hello",
        "tsm connect 0000:00:07.0",
        "tdi assign",
        "passthrough"
      })
  void onAModelNothingIsNeededAndNothingMore(String command) throws Exception {
    Confined.assumePossible();
    Cli confined = new Confined(directory).run("--kernel mock:tdx", command);
    assertThat(confined.err()).doesNotContain("EPERM", "EACCES");
    assertThat(confined.code()).isEqualTo(here(command).code());
  }

  private static Cli here(String command) {
    return Cli.run(("--kernel mock:tdx " + command).split(" ", -1));
  }
}
