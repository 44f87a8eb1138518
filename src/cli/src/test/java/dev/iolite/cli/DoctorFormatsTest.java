package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.PrivateDirectory;
import dev.iolite.mock.MockKernel;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.tdi.journal.Journal;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.VfioDevice;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code iolite doctor} in the forms that fleets collect. */
class DoctorFormatsTest {
  private static final String EDU = "0000:00:02.0";
  private static final String NVME = "0000:00:03.0";

  /** A function that is behind a bridge, with one that a host driver has. */
  private static final String SHARED = "0000:01:01.0";

  /** What NFD makes of a line, where both are within the rules of Kubernetes' labels. */
  private static final String FEATURE =
      "feature\\.node\\.kubernetes\\.io/(?=[^=]{1,63}=)[A-Za-z0-9](?:[\\w.-]*[A-Za-z0-9])?"
          + "=[A-Za-z0-9](?:[\\w.-]{0,61}[A-Za-z0-9])?";

  /** A larger file is ignored by NFD. */
  private static final int MOST_BYTES = 65536;

  @TempDir private Path directory;
  private final MockKernel kernel = MockKernel.plain();

  @AfterEach
  void exit() {
    kernel.close();
  }

  private PciDevice device(String address) {
    return new Pci(kernel).device(PciAddress.parse(address));
  }

  private static Cli doctor(Kernel on, Path run, String format) {
    return Cli.runOn(on, "doctor", "-o", format, "--run-dir", run.toString());
  }

  private Map<String, String> metrics() {
    Cli cli = doctor(kernel, directory.resolve("run"), "prometheus");
    assertThat(cli.err()).isEmpty();
    assertThat(cli.code()).isZero();
    return Metrics.of(cli.out());
  }

  private List<String> features(Kernel on) {
    Cli cli = doctor(on, directory.resolve("run"), "nfd");
    assertThat(cli.err()).isEmpty();
    assertThat(cli.code()).isZero();
    assertThat(cli.out().getBytes(StandardCharsets.UTF_8)).hasSizeLessThan(MOST_BYTES);
    List<String> lines = cli.out().lines().toList();
    assertThat(lines).allMatch(line -> line.matches(FEATURE)).doesNotHaveDuplicates();
    return lines.stream()
        .map(line -> line.substring("feature.node.kubernetes.io/iolite-".length()))
        .toList();
  }

  private static Kernel refusing(Kernel kernel, String path, Errno errno) {
    return new ForwardingKernel(kernel) {
      @Override
      public int open(String opened, int flags) {
        return opened.equals(path) ? errno.negated() : super.open(opened, flags);
      }
    };
  }

  // -- Codes

  private static List<JsonNode> findings(Kernel on) {
    return JsonMapper.shared()
        .readTree(Cli.runOn(on, "doctor", "-o", "json").out())
        .valueStream()
        .toList();
  }

  @Test
  void whatIsNotOkHasACodeInEveryForm() {
    try (MockKernel none = MockKernel.builder().build()) {
      String table = Cli.runOn(none, "doctor").out();
      String metrics = doctor(none, directory.resolve("run"), "prometheus").out();
      assertThat(findings(none))
          .anySatisfy(finding -> assertThat(finding.get("code").isNull()).isFalse())
          .allSatisfy(finding -> {
            String check = finding.get("check").asString();
            boolean isOk = finding.get("status").asString().equals("OK");
            assertThat(finding.get("code").isNull()).isEqualTo(isOk);
            if (!isOk) {
              String code = finding.get("code").asString();
              assertThat(table).contains("\n" + check + " (" + code + "): ");
              assertThat(metrics)
                  .contains(
                      "\niolite_doctor_finding{check=\"%s\",code=\"%s\"} 1\n"
                          .formatted(check, code));
            }
          });
    }
  }

  private static String code(Kernel on, String check) {
    return findings(on).stream()
        .filter(finding -> finding.get("check").asString().equals(check))
        .map(finding -> finding.get("code").asString("none"))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void aCodeTellsANodeThatIsMissingFromOneThatIsForbidden() {
    assertThat(code(kernel, "iommufd")).isEqualTo("none");
    assertThat(code(refusing(kernel, "/dev/iommu", Errno.ENOENT), "iommufd")).isEqualTo("IOL-0007");
    assertThat(code(refusing(kernel, "/dev/iommu", Errno.EACCES), "iommufd")).isEqualTo("IOL-0008");
    assertThat(code(refusing(kernel, "/dev/iommu", Errno.EPERM), "iommufd")).isEqualTo("IOL-0008");
    assertThat(code(refusing(kernel, "/dev/iommu", Errno.EMFILE), "iommufd")).isEqualTo("IOL-0009");
    assertThat(code(refusing(kernel, "/dev/kvm", Errno.ENOENT), "KVM")).isEqualTo("IOL-0024");
    assertThat(code(refusing(kernel, "/dev/kvm", Errno.EACCES), "KVM")).isEqualTo("IOL-0025");
  }

  @Test
  void aDeviceInUseHasItsOwnCode() {
    try (DriverBinding _ = DriverBinding.bind(device(EDU), "vfio-pci")) {
      assertThat(code(kernel, "device")).isEqualTo("none");
      String node = device(EDU).requireVfioCdev();
      assertThat(code(refusing(kernel, node, Errno.EACCES), "device")).isEqualTo("IOL-0019");
      assertThat(code(refusing(kernel, node, Errno.EIO), "device")).isEqualTo("IOL-0020");
      try (Iommufd iommufd = Iommufd.open(kernel);
          BoundVfioDevice _ = VfioDevice.open(kernel, node, EDU).bind(iommufd)) {
        assertThat(code(kernel, "device")).isEqualTo("IOL-0021");
      }
    }
    assertThat(code(kernel, "device")).isEqualTo("IOL-0018");
  }

  // -- Prometheus

  @Test
  void theMetricsHaveTheVerdicts() {
    Map<String, String> metrics = metrics();
    assertThat(metrics)
        .containsEntry("iolite_doctor_ready", "1")
        .containsEntry("iolite_doctor_check_status{check=\"IOMMU\",status=\"ok\"}", "1")
        .containsEntry("iolite_doctor_check_status{check=\"IOMMU\",status=\"missing\"}", "0")
        .containsEntry("iolite_doctor_check_status{check=\"TSM\",status=\"ok\"}", "0")
        .containsEntry("iolite_doctor_check_status{check=\"TSM\",status=\"optional\"}", "1");
    assertThat(metrics.keySet())
        .filteredOn(name -> name.startsWith("iolite_doctor_check_status"))
        .hasSize(3 * findings(kernel).size());
    assertThat(metrics.keySet()).anyMatch(name -> name.startsWith("iolite_build_info{version="));
  }

  @Test
  void theMetricsCountFunctionsThatAreFreeAndInUse() {
    assertThat(metrics())
        .containsEntry("iolite_assignable_functions{class=\"0108\"}", "0")
        .containsEntry("iolite_assigned_functions{class=\"0108\"}", "0")
        .doesNotContainKey("iolite_assignable_functions{class=\"0604\"}");
    try (DriverBinding _ = DriverBinding.bind(device(NVME), "vfio-pci")) {
      assertThat(metrics())
          .containsEntry("iolite_assignable_functions{class=\"0108\"}", "1")
          .containsEntry("iolite_assigned_functions{class=\"0108\"}", "0");
      try (Iommufd iommufd = Iommufd.open(kernel);
          BoundVfioDevice _ =
              VfioDevice.open(kernel, device(NVME).requireVfioCdev(), NVME).bind(iommufd)) {
        assertThat(metrics())
            .containsEntry("iolite_assignable_functions{class=\"0108\"}", "0")
            .containsEntry("iolite_assigned_functions{class=\"0108\"}", "1");
      }
    }
  }

  @Test
  void aFunctionWhoseGroupTheHostUsesIsNotFree() {
    try (DriverBinding _ = DriverBinding.bind(device(EDU), "vfio-pci");
        DriverBinding _ = DriverBinding.bind(device(SHARED), "vfio-pci")) {
      assertThat(metrics()).containsEntry("iolite_assignable_functions{class=\"00ff\"}", "1");
    }
  }

  @Test
  void theMetricsTellAJournalThatIsHeldFromOneThatWasLeft() throws IOException {
    Path run = directory.resolve("run");
    Instant then = Instant.parse("2026-01-02T03:04:05.250Z");
    assertThat(metrics())
        .containsEntry("iolite_journals{state=\"held\"}", "0")
        .containsEntry("iolite_journals{state=\"left\"}", "0");
    try (PrivateDirectory opened = PrivateDirectory.make(new HostKernel(), run)) {
      Journal left = Journal.open(opened, PciAddress.parse(NVME), Journal.THIS_HOST);
      left.close();
      try (Journal held = Journal.open(opened, PciAddress.parse(EDU), Journal.THIS_HOST)) {
        Files.setLastModifiedTime(
            run.resolve(Journal.name(PciAddress.parse(NVME))), FileTime.from(then));
        Files.writeString(run.resolve("notes"), "no journal");

        assertThat(metrics())
            .containsEntry("iolite_journals{state=\"held\"}", "1")
            .containsEntry("iolite_journals{state=\"left\"}", "1")
            .containsEntry(
                "iolite_journal_written_timestamp_seconds{device=\"%s\",state=\"left\"}"
                    .formatted(NVME),
                "1767323045.250")
            .containsKey(
                "iolite_journal_written_timestamp_seconds{device=\"%s\",state=\"held\"}"
                    .formatted(EDU));
        held.finished();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"mock:plain", "mock:tdx", "mock:sev"})
  void prometheusReadsThem(String model) throws IOException, InterruptedException {
    Path run = directory.resolve("run");
    try (PrivateDirectory opened = PrivateDirectory.make(new HostKernel(), run);
        Journal _ = Journal.open(opened, PciAddress.parse(EDU), Journal.THIS_HOST)) {
      Cli cli =
          Cli.run("--kernel", model, "-o", "prometheus", "doctor", "--run-dir", run.toString());
      assertThat(Metrics.of(cli.out())).hasSizeGreaterThan(40);
      Promtool.accepts(cli.out());
    }
  }

  // -- Node Feature Discovery

  @Test
  void aHostIsLabelledWithWhatWasSeenToWork() {
    assertThat(features(kernel))
        .containsExactly(
            "ready=true",
            "iommu=true",
            "iommufd=true",
            "vfio-cdev=true",
            "kvm=true",
            "vm-type.default=true",
            "vm-type.sw-protected=true");
    try (DriverBinding _ = DriverBinding.bind(device(EDU), "vfio-pci");
        DriverBinding _ = DriverBinding.bind(device(NVME), "vfio-pci")) {
      assertThat(features(kernel))
          .contains("dma-buf-export=true", "assignable.pci-0108=1", "assignable.pci-00ff=1");
    }
  }

  @Test
  void aHostThatLacksWhatIsNeededIsNotReady() {
    assertThat(features(refusing(kernel, "/dev/kvm", Errno.EACCES)))
        .containsExactly("ready=false", "iommu=true", "iommufd=true", "vfio-cdev=true");
  }

  @Test
  void aConfidentialHostHasItsTypeAndItsTsm() {
    Cli tdx = Cli.run("--kernel", "mock:tdx", "-o", "nfd", "doctor");
    assertThat(tdx.out().lines())
        .contains(
            "feature.node.kubernetes.io/iolite-tsm=true",
            "feature.node.kubernetes.io/iolite-vm-type.tdx=true");
  }

  // -- Exit codes

  @Test
  void aReportOfAHostThatLacksSomethingIsAReport() {
    Kernel without = refusing(kernel, "/dev/kvm", Errno.ENOENT);
    assertThat(Cli.runOn(without, "doctor").code()).isEqualTo(ExitCode.CHECK_FAILED);
    assertThat(Cli.runOn(without, "doctor", "-o", "json").code()).isEqualTo(ExitCode.CHECK_FAILED);
    Cli prometheus = doctor(without, directory.resolve("run"), "prometheus");
    assertThat(prometheus.code()).isZero();
    assertThat(Metrics.of(prometheus.out())).containsEntry("iolite_doctor_ready", "0");
    assertThat(doctor(without, directory.resolve("run"), "nfd").code()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"prometheus", "nfd"})
  void aReportThatCanNotBeMadePrintsNothing(String format) {
    Cli cli =
        doctor(
            refusing(kernel, "/sys/bus/pci/devices", Errno.EIO), directory.resolve("run"), format);
    assertThat(cli.code()).isEqualTo(ExitCode.KERNEL);
    assertThat(cli.out()).isEmpty();
    assertThat(cli.err()).contains("/sys/bus/pci/devices", "EIO");
  }

  @Test
  void journalsThatCanNotBeReadAreNotLeftOut() throws IOException {
    Path open =
        Files.createDirectory(
            directory.resolve("open"),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
    Cli cli = doctor(kernel, open, "prometheus");
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.out()).isEmpty();
    assertThat(cli.err()).contains(open.toString(), "0700");
    assertThat(doctor(kernel, open, "nfd").code()).isZero();
  }

  @Test
  void theFormsAreDoctorsAlone() {
    Cli list = Cli.runOn(kernel, "pci", "list", "-o", "nfd");
    assertThat(list.code()).isEqualTo(ExitCode.USAGE);
    assertThat(list.err())
        .startsWith("iolite: iolite pci list prints table (the default) or json, not nfd\n");
    assertThat(Cli.runOn(kernel, "-o", "prometheus", "pci", "list").code())
        .isEqualTo(ExitCode.USAGE);
    assertThat(Cli.runOn(kernel, "doctor", "--privileges", "-o", "nfd").code())
        .isEqualTo(ExitCode.USAGE);
    assertThat(Cli.run("doctor", "--help").out())
        .contains("table (the default), json, jsonl, prometheus or nfd");
    assertThat(Cli.run("pci", "list", "--help").out()).contains("table (the default) or json\n");
  }
}
