package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.cli.report.HtmlPage;
import dev.iolite.kernel.Errno;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.pci.HostFacts;
import dev.iolite.uapi.catalog.Ioctls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Element;
import picocli.CommandLine;

/** {@code --html}: what the reports say, and where they are written. */
class HtmlReportTest {
  private static final String MODEL = "mock:tdx";

  @TempDir private Path directory;

  private Path file() {
    return directory.resolve("report.html");
  }

  private Cli run(String... words) {
    return Cli.run(
        Stream.concat(Stream.of(words), Stream.of("--html", file().toString()))
            .toArray(String[]::new));
  }

  private HtmlPage page() throws IOException {
    return HtmlPage.of(Files.readString(file()));
  }

  @Test
  void anAssignmentIsReported() throws IOException {
    Cli cli = run("--kernel", MODEL, "tdi", "assign", "--profile", "seed-2025");
    assertThat(cli.err()).isEmpty();
    assertThat(cli.code()).isZero();
    HtmlPage page = page();
    assertThat(page.text("h1")).containsExactly("0000:00:07.0");
    assertThat(page.ofClass("verdict good"))
        .singleElement()
        .satisfies(verdict -> assertThat(cli.out()).contains(verdict.substring(2)));
    assertThat(page.ofClass("missing"))
        .singleElement()
        .asString()
        .contains("a model (mock:tdx)", "nothing about hardware was proved", "Nothing is missing")
        .contains("Nobody said whose signature to trust");
    assertThat(page.ofClass("statements"))
        .hasSize(3)
        .anyMatch(text -> text.contains("a private read reaches BAR0+0x0 (private), BAR0+0x3000"));
    assertThat(page.ofClass("title")).contains("3  bind the interface", "give everything back");
    assertThat(page.ofClass("calls").toString())
        .contains("VFIO_DEVICE_BIND_IOMMUFD", "KVM_CREATE_VM");
    assertThat(page.labels("strip"))
        .contains("BAR0, 64 KiB at 0x2000000: all shared")
        .contains("BAR0, 64 KiB at 0x2000000: 3 runs, 60 KiB private, 4 KiB shared");
    assertThat(page.ofClass("ledger")).hasSize(2).allMatch(text -> text.contains("dma-buf 12"));
    assertThat(page.ofClass("checks").toString()).contains("no contradiction");
    assertThat(page.text("dd")).contains("7.3.4", "dmar0", "tsm0");
  }

  @Test
  void stepsAreWhereTheyWereInTime() throws IOException {
    run("--kernel", MODEL, "tdi", "assign");
    double last = 0;
    double worked = 0;
    List<Element> steps = page().inside("times", "rect");
    assertThat(steps).hasSizeGreaterThan(90);
    for (Element step : steps) {
      double start = percent(step.getAttribute("x"));
      assertThat(start).isGreaterThanOrEqualTo(last - 0.01);
      double width = percent(step.getAttribute("width"));
      last = start + width;
      worked += width;
      assertThat(last).isBetween(0.0, 100.01);
    }
    assertThat(worked).isPositive();
  }

  private static double percent(String text) {
    return Double.parseDouble(text.replace("%", ""));
  }

  @Test
  void twoRunsDifferOnlyInTimesAndAddresses() throws IOException {
    run("--kernel", MODEL, "tdi", "assign");
    String first = withoutTimes();
    run("--kernel", MODEL, "tdi", "assign");
    assertThat(withoutTimes()).isEqualTo(first);
  }

  @Test
  void numbersAreEnglishLikeTheWords() throws IOException {
    Locale usual = Locale.getDefault();
    Locale.setDefault(Locale.GERMANY);
    try {
      assertThat(run("--kernel", MODEL, "tdi", "assign").out())
          .doesNotContainPattern("\\d,\\d+ ms");
    } finally {
      Locale.setDefault(usual);
    }
    assertThat(Files.readString(file())).doesNotContainPattern("\\d,\\d+ ms");
  }

  private String withoutTimes() throws IOException {
    return Files.readString(file())
        .replaceAll(
            "[0-9]+ us|[0-9.]+ ms|[0-9.]+%|0x[57][0-9a-f]{11}|[-0-9]{10} [:0-9]{8}|[0-9a-f]{64}",
            "?");
  }

  @Test
  void aFailedStepIsReportedAndTheExitCodeStays() throws IOException {
    try (MockKernel kernel = MockKernel.tdx()) {
      Calls alloc = Calls.ofIoctl("IOMMU_IOAS_MAP_FILE", Ioctls.ofHeaders()).orElseThrow();
      Cli cli =
          Cli.runOn(
              new FaultyKernel(
                  kernel, Faults.none().fail(alloc, 1, Errno.ENOMEM, Faults.When.BEFORE)),
              "tdi",
              "assign",
              "00:07.0",
              "--vm",
              "tdx",
              "--run-dir",
              directory.resolve("run").toString(),
              "--html",
              file().toString());
      assertThat(cli.code()).isEqualTo(ExitCode.KERNEL);
      HtmlPage page = page();
      assertThat(page.ofClass("verdict bad"))
          .singleElement()
          .asString()
          .contains("It failed in the stage");
      assertThat(page.ofClass("problems"))
          .singleElement()
          .asString()
          .contains("ENOMEM")
          .doesNotContain("iolite:");
      assertThat(page.ofClass("missing"))
          .singleElement()
          .asString()
          .contains("the run ended there");
      assertThat(page.open()).isNotEmpty().allMatch(text -> text.contains("FAILED"));
      assertThat(page.text("dd")).contains("unassigned", "3");
    }
  }

  @Test
  void whatNeverBeganIsReported() throws IOException {
    Cli cli = run("--kernel", "mock:plain", "tdi", "assign", "00:1f.7");
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(page().ofClass("problems").toString()).contains("0000:00:1f.7");
  }

  @Test
  void passthroughIsReported() throws IOException {
    Cli cli = run("--kernel", MODEL, "passthrough");
    assertThat(cli.code()).isZero();
    HtmlPage page = page();
    assertThat(page.text("h1")).containsExactly("0000:00:02.0, 0000:00:03.0");
    assertThat(page.ofClass("proofs"))
        .singleElement()
        .asString()
        .contains("4096 random bytes came back the same", "QEMU NVMe Ctrl")
        .doesNotContain("make a virtual machine");
    assertThat(page.ofClass("title")).containsExactly("0000:00:02.0", "0000:00:03.0");
  }

  @Test
  void doctorIsReportedWithCodesAndRemedies() throws IOException {
    Cli cli = run("--kernel", MODEL, "doctor");
    assertThat(cli.code()).isZero();
    assertThat(page().ofClass("verdict good")).hasSize(1);
    assertThat(page().text("h3")).contains("huge pages (IOL-0034)");
    assertThat(Files.readString(file())).contains("echo 512 &gt; /proc/sys/vm/nr_hugepages");
  }

  @Test
  void whatTheHostSaysIsNoMarkup() throws IOException {
    String hostile = "7.3.4<script>alert(1)</script>\u202e\u001b[31m\" onload=\"x&amp;";
    try (MockKernel kernel =
        MockKernel.builder()
            .facts(new HostFacts(hostile, 1, Map.of("model name", "<b>]]>"), Map.of(), ""))
            .build()) {
      Cli.runOn(kernel, "doctor", "--html", file().toString());
    }
    HtmlPage page = page();
    assertThat(page.text("script")).isEmpty();
    assertThat(page.text("b")).isEmpty();
    assertThat(page.text("dd"))
        .contains("7.3.4<script>alert(1)</script>\\u202e\\x1b[31m\" onload=\"x&amp;", "<b>]]>");
  }

  @Test
  void itIsRefusedBeforeAnythingIsDoneIfItCantBeWritten() {
    Path nowhere = directory.resolve("none/report.html");
    for (Path wrong : Arrays.asList(nowhere, directory)) {
      Cli cli = Cli.run("--kernel", MODEL, "tdi", "assign", "--html", wrong.toString());
      assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
      assertThat(cli.err()).contains("write the report " + wrong, "Next: ");
      assertThat(cli.out()).isEmpty();
    }
    Cli held = run("--kernel", MODEL, "tdi", "assign", "--hold");
    assertThat(held.code()).isEqualTo(ExitCode.USAGE);
    assertThat(held.err()).contains("--hold has none");
  }

  @Test
  void theFileIsReplacedAtOnce() throws IOException {
    Path target = Files.writeString(directory.resolve("target.html"), "before");
    Files.createSymbolicLink(file(), target.getFileName());
    run("--kernel", MODEL, "doctor");
    assertThat(file()).isSymbolicLink();
    assertThat(target).content().startsWith("<!DOCTYPE html>");
    try (Stream<Path> all = Files.list(directory)) {
      assertThat(all).containsExactlyInAnyOrder(target, file());
    }
  }

  /** The report is written when the devices have been given back, and then there is no place. */
  @Test
  void aRunSucceedsWithoutItsReport() throws IOException {
    Path sub = Files.createDirectory(directory.resolve("sub"));
    HtmlReport report = new HtmlReport();
    new CommandLine(report).parseArgs("--html", sub.resolve("a.html").toString());
    List<String> said = new ArrayList<>();
    int code = report.of(() -> removed(sub), _ -> "page", said::add);
    assertThat(code).isEqualTo(ExitCode.OUTPUT);
    assertThat(said.toString()).contains("write the report", "there is no such file or directory");
  }

  private static int removed(Path directory) {
    try {
      Files.delete(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return ExitCode.OK;
  }
}
