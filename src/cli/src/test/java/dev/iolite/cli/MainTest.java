package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The command line on a host without any device. */
class MainTest {
  private static final String ABSENT = "ffff:ff:1f.7";

  private static JsonNode json(Cli cli) {
    return JsonMapper.shared().readTree(cli.out());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "doctor",
        "pci",
        "pci show",
        "vfio info",
        "iommu info",
        "kvm hello",
        "passthrough",
        "tdi report",
        "tdi plan",
        "tdi states",
        "uapi"
      })
  void everyCommandHasHelpWithTheExitCodes(String command) {
    Cli cli = Cli.run((command + " --help").strip().split(" ", -1));
    assertThat(cli.code()).isZero();
    assertThat(cli.out()).contains("Usage: iolite").contains("Exit codes:").contains("--output");
    assertThat(cli.err()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "pci", "vfio", "iommu", "kvm", "nonsense", "pci list --no-such-option"})
  void whatIsNoCommandIsAUsageError(String command) {
    Cli cli = Cli.run(command.isEmpty() ? new String[0] : command.split(" ", -1));
    assertThat(cli.code()).isEqualTo(ExitCode.USAGE);
    assertThat(cli.err()).isNotBlank();
    assertThat(cli.out()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"zz", "00:1f", "0000:00:20.0", "0000:00:03.8", "0000:00:03.0 ", "../../etc"})
  void aMalformedAddressIsAUsageErrorThatShowsAGoodOne(String bdf) {
    for (String command :
        List.of("passthrough", "pci show", "pci bind", "pci unbind", "vfio info", "iommu info")) {
      List<String> arguments = new ArrayList<>(List.of(command.split(" ", -1)));
      arguments.add(bdf);
      Cli cli = Cli.run(arguments.toArray(String[]::new));
      assertThat(cli.code()).as("%s %s", command, bdf).isEqualTo(ExitCode.USAGE);
      assertThat(cli.err()).contains(bdf.strip()).contains("0000:00:03.0");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"passthrough", "pci show", "pci bind", "pci unbind", "vfio info", "iommu info"})
  void aFunctionThatIsNotThereSaysSoAndHowToSeeThoseThatAre(String command) {
    Cli cli = Cli.run((command + " " + ABSENT).split(" ", -1));
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.err()).contains(ABSENT).contains("iolite pci list");
    assertThat(cli.err()).doesNotContain("    at ");
  }

  @Test
  void verboseAddsTheStackTrace() {
    assertThat(Cli.run("--verbose", "pci", "show", ABSENT).err()).contains("    at dev.iolite");
    assertThat(Cli.run("pci", "show", "--verbose", ABSENT).err()).contains("    at dev.iolite");
  }

  @Test
  void traceShowsTheSystemCalls() {
    assertThat(Cli.run("--trace", "pci", "list").err()).contains("/sys/bus/pci/devices");
  }

  @Test
  void nothingIsColouredAwayFromATerminal() {
    assertThat(Cli.run("doctor").out()).doesNotContain("\u001b");
    assertThat(Cli.run("pci", "show", ABSENT).err()).doesNotContain("\u001b");
  }

  @Test
  void doctorMakesEveryCheckAndFailsIfOneThatIsNeededDoes() {
    Cli cli = Cli.run("doctor", "-o", "json");
    JsonNode findings = json(cli);
    assertThat(findings.valueStream().map(f -> f.get("check").asString()))
        .containsExactly(
            "kernel",
            "IOMMU",
            "IOMMU groups",
            "iommufd",
            "memlock",
            "vfio-pci",
            "VFIO cdev",
            "device",
            "dma-buf export",
            "KVM",
            "confidential VMs",
            "TSM",
            "huge pages");
    boolean missing =
        findings.valueStream().anyMatch(f -> f.get("status").asString().equals("MISSING"));
    assertThat(cli.code()).isEqualTo(missing ? ExitCode.CHECK_FAILED : ExitCode.OK);
    for (JsonNode finding : findings) {
      assertThat(finding.get("observed").asString()).isNotBlank();
      boolean ok = finding.get("status").asString().equals("OK");
      assertThat(finding.get("why").asString().isEmpty()).isEqualTo(ok);
      assertThat(finding.get("next").asString().isEmpty()).isEqualTo(ok);
    }
  }

  @Test
  void uapiShowsWhichMethodACallHas() {
    JsonNode rows =
        json(Cli.run("uapi", "--coverage", "IOMMU_IOAS_MAP", "-o", "json")).get("calls");
    assertThat(rows).hasSize(2);
    assertThat(rows.get(0).get("method").asString()).isEqualTo("Ioas.map,Ioas.mapAnywhere");
    assertThat(rows.get(0).get("model").asString()).isEqualTo("yes");
    assertThat(Cli.run("uapi", "--coverage", "Ioas.map").out())
        .contains("IOMMU_IOAS_MAP")
        .contains("2 calls and parts of calls: 2 with a method");
    assertThat(Cli.run("uapi", "--coverage", "IOMMU_NOTHING").err())
        .contains("UAPI calls or methods");
  }

  @Test
  void uapiListsStructsAndConstantsAsJson() {
    JsonNode all = json(Cli.run("uapi", "-o", "json"));
    assertThat(all.propertyNames()).containsExactly("structs", "constants");
    assertThat(all.get("structs").size()).isGreaterThan(200);
    JsonNode bind = json(Cli.run("uapi", "vfio_device_bind_iommufd", "-o", "json"));
    JsonNode struct = bind.get("structs").get(0);
    assertThat(struct.propertyNames()).containsExactly("name", "package", "size", "fields");
    assertThat(struct.get("package").asString()).isEqualTo("vfio");
    assertThat(struct.get("size").asInt()).isEqualTo(24);
    JsonNode field = struct.get("fields").get(2);
    assertThat(field.toString()).isEqualTo("{\"name\":\"iommufd\",\"offset\":8,\"size\":4}");
    JsonNode constant = bind.get("constants").get(0);
    assertThat(constant.toString())
        .isEqualTo("{\"name\":\"VFIO_DEVICE_BIND_IOMMUFD\",\"package\":\"vfio\",\"value\":15222}");
  }

  @Test
  void uapiListsTextConstantsToo() {
    assertThat(
            json(Cli.run("uapi", "vfio_device_api_pci", "-o", "json")).get("constants").toString())
        .isEqualTo(
            """
            [{"name":"VFIO_DEVICE_API_PCI_STRING","package":"vfio","value":"vfio-pci"}]\
            """);
    assertThat(Cli.run("uapi", "vfio_device_api_pci").out())
        .containsPattern("VFIO_DEVICE_API_PCI_STRING +vfio +\"vfio-pci\"");
    assertThat(Cli.run("uapi", "--help").out()).contains("dev.iolite.uapi.vfio");
  }

  @Test
  void uapiShowsAStructFieldByField() {
    Cli cli = Cli.run("uapi", "iommu_ioas_map_file");
    assertThat(cli.out())
        .containsPattern("iommu_ioas_map_file +iommufd +40")
        .containsPattern("32 +8 +iova");
    assertThat(Cli.run("uapi", "no_such_name").code()).isEqualTo(ExitCode.PRECONDITION);
  }

  @Test
  void whatTheGuestCanNotPrintIsAUsageError() {
    for (String text : List.of("x".repeat(4081), "ü".repeat(2041), "a\0b")) {
      Cli cli = Cli.run("kvm", "hello", text);
      assertThat(cli.code()).isEqualTo(ExitCode.USAGE);
      assertThat(cli.err()).contains("TEXT has").contains("iolite kvm hello --help");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "-1", "soon"})
  void aDeadlineThatIsNoneIsAUsageError(String seconds) {
    Cli cli = Cli.run("kvm", "hello", "--deadline=" + seconds);
    assertThat(cli.code()).isEqualTo(ExitCode.USAGE);
    assertThat(cli.err()).contains("--deadline").contains(seconds);
  }

  @Test
  void kvmHelloPrintsTextThatLooksLikeMarkupAsItIs() {
    assumeTrue(Files.isWritable(Path.of("/dev/kvm")), "needs /dev/kvm");
    String longest = "@|red x|@" + "y".repeat(4080 - 9);
    Cli cli = Cli.run("kvm", "hello", longest);
    assertThat(cli.code()).as(cli.err()).isZero();
    assertThat(cli.out().lines().findFirst()).contains(longest);
  }

  @Test
  void kvmHelloPrintsWhatTheGuestPrinted() {
    assumeTrue(Files.isWritable(Path.of("/dev/kvm")), "needs /dev/kvm");
    Cli cli = Cli.run("kvm", "hello", "Grüße from ring 0");
    assertThat(cli.err()).isEmpty();
    assertThat(cli.code()).isZero();
    assertThat(cli.out().lines().findFirst()).contains("Grüße from ring 0");
    assertThat(json(Cli.run("kvm", "info", "-o", "json")).get("apiVersion").asInt()).isEqualTo(12);
  }
}
