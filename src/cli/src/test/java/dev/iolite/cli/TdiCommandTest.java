package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.tdi.layout.ReportBytes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The {@code tdi} commands that need no kernel. */
class TdiCommandTest {
  @TempDir private Path directory;

  private Path report;

  @BeforeEach
  void writeReport() throws IOException {
    report =
        Files.write(
            directory.resolve("report"),
            new ReportBytes(3)
                .range(0, 0x1000, 2, 0)
                .range(0, 0x1002, 1, ReportBytes.NON_TEE)
                .range(0, 0x1003, 13, 0)
                .range(4, 0x2000, 1, ReportBytes.MSIX_TABLE | ReportBytes.NON_TEE)
                .deviceSpecific((byte) 0xca, (byte) 0xfe)
                .toArray());
  }

  private static JsonNode json(Cli cli) {
    assertThat(cli.err()).isEmpty();
    assertThat(cli.code()).isZero();
    return JsonMapper.shared().readTree(cli.out());
  }

  private Cli tdi(String command, String... arguments) {
    String[] all = new String[arguments.length + 2];
    all[0] = "tdi";
    all[1] = command;
    System.arraycopy(arguments, 0, all, 2, arguments.length);
    return Cli.run(all);
  }

  @Test
  void aReportIsShownAndDrawn() {
    Cli cli = tdi("report", report.toString());
    assertThat(cli.code()).isZero();
    assertThat(cli.out())
        .contains("no firmware update, DMA without PASID")
        .contains("MSI-X control    0x8007")
        .contains("2 bytes: cafe")
        .contains("BAR 0 (64 KiB), BAR 4 (4 KiB)")
        .containsPattern("BAR 0 +0x1002 +1 +shared +non-TEE")
        .containsPattern("BAR 4 +0x2000 +1 +shared +MSI-X table, non-TEE")
        .doesNotContain("Note:")
        .contains("BAR 0  64 KiB: 3 runs, 60 KiB private, 4 KiB shared")
        .contains("0x2000          4 KiB  ░ shared");
    assertThat(cli.out().lines()).allSatisfy(line -> assertThat(line.length()).isLessThan(101));
  }

  @Test
  void aReportAsJsonHasEverything() {
    JsonNode json = json(tdi("report", report.toString(), "--bar", "4=32K", "-o", "json"));
    JsonNode read = json.get("report");
    assertThat(read.get("flags").toString())
        .isEqualTo("[\"no firmware update\",\"DMA without PASID\"]");
    assertThat(read.get("msixControl").asInt()).isEqualTo(0x8007);
    assertThat(read.get("deviceSpecific").asString()).isEqualTo("cafe");
    assertThat(read.get("ranges").get(1).toString())
        .isEqualTo(
            "{\"id\":0,\"firstPage\":\"0x1002\",\"pages\":\"0x1\",\"attributes\":[\"non-TEE\"],"
                + "\"inBar\":true,\"kind\":\"shared\"}");
    JsonNode layout = json.get("layout");
    assertThat(layout.get("pageBytes").asString()).isEqualTo("0x1000");
    assertThat(layout.get("bars").get(1).toString())
        .isEqualTo(
            "{\"bar\":4,\"bytes\":\"0x8000\",\"runs\":[{\"offset\":\"0x0\",\"bytes\":\"0x8000\","
                + "\"kind\":\"shared\"}]}");
  }

  @Test
  void theSchemeIsSaidAndThatItIsAGuess() throws IOException {
    Files.write(report, new ReportBytes(3).range(0, 0x1004, 12, 0).range(9, 0, 1, 0).toArray());
    String[] sized = {report.toString(), "--bar", "0=64K"};
    Cli guessed = tdi("report", sized);
    assertThat(guessed.code()).isZero();
    assertThat(guessed.out())
        .containsPattern("ranges +aligned")
        .contains("is a guess", "--ranges relative", "Linux refuses such a report")
        .contains("9, in no BAR")
        .contains("0x4000         48 KiB  █ private");
    Cli told = tdi("report", report.toString(), "--bar", "0=64K", "--ranges", "relative");
    assertThat(told.out())
        .containsPattern("ranges +relative")
        .doesNotContain("guess")
        .contains("0x0            48 KiB  █ private");
    assertThat(tdi("plan", "--report", report.toString(), "--bar", "0=64K").out())
        .contains("is a guess");
  }

  @Test
  void thePlatformPlacesRangesAndSaysWhatItsFirmwareRefuses() throws IOException {
    ReportBytes plain = new ReportBytes(3).put(4, 0).put(8, 0);
    Files.write(report, plain.range(0, 0x1004, 12, 0).toArray());
    String[] onTdx = {report.toString(), "--bar", "0=64K", "--platform", "tdx"};
    Cli taken = tdi("report", onTdx);
    assertThat(taken.code()).isZero();
    assertThat(taken.out()).containsPattern("ranges +relative").doesNotContain("Note");
    assertThat(tdi("report", report.toString(), "--bar", "0=64K", "--platform", "sev").out())
        .containsPattern("ranges +aligned")
        .doesNotContain("guess");

    Files.write(report, new ReportBytes(0b11100).range(0, 0x1000, 16, 0).toArray());
    Cli refused = tdi("report", onTdx);
    assertThat(refused.code()).isEqualTo(ExitCode.CHECK_FAILED);
    assertThat(refused.out())
        .contains("it makes no DMA without PASIDs", "it uses DMA with PASID, ATS, PRS")
        .contains("MSI-X, LNR or TPH control is not 0");
    assertThat(tdi("report", report.toString(), "--platform", "sev").code()).isZero();
    assertThat(tdi("plan", "--report", report.toString(), "--platform", "tdx").out())
        .contains("a TDX module refuses it: it uses DMA with PASID, ATS, PRS");
    assertThat(tdi("report", report.toString(), "--platform", "sparc").code())
        .isEqualTo(ExitCode.USAGE);
  }

  /** A BAR of 128 KiB at an odd multiple of 64 KiB. */
  @Test
  void whatFitsNoAlignedBarIsPlacedFromItsFirstRange() throws IOException {
    Files.write(
        report,
        new ReportBytes(3)
            .range(4, 0x54_0010, 16, ReportBytes.MSIX_TABLE)
            .range(4, 0x54_0020, 16, ReportBytes.MSIX_PBA)
            .toArray());
    Cli cli = tdi("report", report.toString(), "--bar", "4=128K");
    assertThat(cli.code()).isZero();
    assertThat(cli.out())
        .containsPattern("ranges +relative")
        .contains("do not fit BARs that are aligned", "That is a guess")
        .contains("BAR 4  128 KiB: all private");
  }

  @Test
  void whatIsOddAboutAReportIsARemark() throws IOException {
    Files.write(report, new ReportBytes(0x103).range(0, 0, 1, ReportBytes.MSIX_TABLE).toArray());
    Cli cli = tdi("report", report.toString());
    assertThat(cli.code()).isZero();
    assertThat(cli.out())
        .contains("byte 0: the reserved bits 0x0100 are set, and ignored")
        .containsPattern("BAR 0 +0x0 +1 +private +MSI-X table")
        .contains("Note: the MSI-X table is locked");
    for (String command : new String[] {"report", "plan --report"}) {
      String[] words = (command + " " + report + " -o json").split(" ", -1);
      JsonNode json = json(tdi(words[0], Arrays.copyOfRange(words, 1, words.length)));
      assertThat(json.get("remarks").get(0).asString()).startsWith("byte 0: the reserved bits");
      assertThat(json.get("remarks").get(1).asString()).startsWith("the MSI-X table is locked");
    }
  }

  @Test
  void aPictureIsWritten() throws IOException {
    Path svg = directory.resolve("picture.svg");
    assertThat(tdi("report", report.toString(), "--svg", svg.toString()).code()).isZero();
    assertThat(Files.readString(svg)).startsWith("<?xml").contains("BAR 0");
    Cli nowhere = tdi("report", report.toString(), "--svg", directory.resolve("a/b").toString());
    assertThat(nowhere.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(nowhere.err()).contains("write the picture", "no such file or directory", "Next:");
  }

  @Test
  void aMalformedReportIsWhatTheCommandFound() throws IOException {
    Files.write(report, new ReportBytes(3).range(2, 0, 1, 0).range(0, 0, 1, 0).toArray());
    for (Cli cli :
        new Cli[] {tdi("report", report.toString()), tdi("plan", "--report", report.toString())}) {
      assertThat(cli.code()).isEqualTo(ExitCode.CHECK_FAILED);
      assertThat(cli.err()).contains("byte 44: a range with id 0 after one with id 2; ids ascend");
      assertThat(cli.out()).isEmpty();
    }
  }

  @Test
  void aReportThatDoesNotFitItsBarIsMalformed() {
    Cli cli = tdi("report", report.toString(), "--bar", "0=32K");
    assertThat(cli.code()).isEqualTo(ExitCode.CHECK_FAILED);
    assertThat(cli.err()).contains("byte 48", "BAR 0 (32 KiB) has 0x8 pages");
  }

  @Test
  void aReportOfMoreThanABarCanHaveIsRefused() throws IOException {
    Files.write(
        report, new ReportBytes(3).range(0, 0, 1, 0).range(0, (1L << 52) - 1, 1, 0).toArray());
    Cli cli = tdi("report", report.toString());
    assertThat(cli.code()).isEqualTo(ExitCode.CHECK_FAILED);
    assertThat(cli.err()).contains("byte 32");
  }

  @Test
  void aPageOfBothKindsIsAHostThatCantHaveIt() {
    Cli cli = tdi("report", report.toString(), "--page-size", "64K");
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.err()).contains("BAR 0", "private up to 0x2000, and shared from there");
  }

  @ParameterizedTest
  @ValueSource(strings = {"report %s", "plan --report %s", "plan --layout %s"})
  void aFileThatCantBeReadIsMissing(String command) {
    String[] words = command.formatted(directory.resolve("absent")).split(" ", -1);
    String[] rest = Arrays.copyOfRange(words, 1, words.length);
    Cli cli = tdi(words[0], rest);
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.err()).contains("absent", "there is no such file", "Next:");
    rest[rest.length - 1] = directory.toString();
    Cli folder = tdi(words[0], rest);
    assertThat(folder.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(folder.err()).contains("Is a directory");
  }

  @ParameterizedTest
  @CsvSource({
    "seed-2025, 3, 4, 2",
    "intel-rfc-2025, 4, 4, 2",
    "arm-v5, 2, 2, 2",
    "v6, 2, 2, 2",
    "cca-v7, 2, 2, 2",
    "mainline-7.3, 2, 2, 2"
  })
  void aPlanForEachProfile(String profile, int dmaBufs, int slots, int maps) {
    JsonNode json =
        json(
            tdi(
                "plan",
                "--report",
                report.toString(),
                "--profile",
                profile,
                "--dry-run",
                "-o",
                "json"));
    assertThat(json.get("profile").asString()).isEqualTo(profile);
    JsonNode plan = json.get("plan");
    assertThat(plan.get("dmaBufs").size()).isEqualTo(dmaBufs);
    assertThat(plan.get("slots").size()).isEqualTo(slots);
    assertThat(plan.get("maps").size()).isEqualTo(maps);
    List<String> calls =
        json.get("ioctls").valueStream().map(c -> c.get("ioctl").asString()).toList();
    assertThat(calls).filteredOn("VFIO_DEVICE_FEATURE"::equals).hasSize(dmaBufs);
    assertThat(calls)
        .filteredOn(name -> name.startsWith("KVM_SET_USER_MEMORY_REGION"))
        .hasSize(slots);
    assertThat(calls).filteredOn("IOMMU_IOAS_MAP_FILE"::equals).hasSize(maps);
  }

  @Test
  void aBarWithoutAnAddressIsLeftOut() {
    Cli cli = tdi("plan", "--report", report.toString(), "--gpa", "4=0x10000");
    assertThat(cli.code()).isZero();
    assertThat(cli.out()).contains("Note: BAR 0 has no address in the guest, and is left out.");
    assertThat(cli.out()).doesNotContain("BAR 4 has no address");
  }

  @Test
  void aPlanIsShownWithItsIoctlsAndTheirBytes() {
    Cli cli =
        tdi(
            "plan",
            "--report",
            report.toString(),
            "--gpa",
            "0=0xc0000000",
            "--gpa",
            "4=0xc0010000",
            "--dry-run");
    assertThat(cli.code()).isZero();
    assertThat(cli.out())
        .contains("3 dma-bufs, 4 memory slots, 2 IOAS maps")
        .containsPattern("1 +0 +private +60 KiB +0x0\\+0x2000, 0x3000\\+0xd000")
        .containsPattern("2 +0xc0003000 +52 KiB +private +dma-buf 1 from 0x2000")
        .containsPattern("0xc0002000 +4 KiB +dma-buf 0 from 0x0")
        .contains("VFIO_DEVICE_FEATURE <device> {argsz=0x38, flags=0x1000b}")
        .contains("IOMMU_IOAS_MAP_FILE <iommufd> {size=0x28, flags=7, ioas_id=<ioas>")
        .contains("28 00 00 00 07 00 00 00 ff ff ff ff ff ff ff ff 00 00 00 00");
    assertThat(cli.out().lines()).allSatisfy(line -> assertThat(line.length()).isLessThan(101));
  }

  @Test
  void aDryRunLeavesOutWhatAnAssignmentDoesNotMap() throws IOException {
    Path layout =
        Files.writeString(
            directory.resolve("layout"), "bars: [{bar: 0, size: 256}, {bar: 2, size: 4K}]");
    Cli cli = tdi("plan", "--layout", layout.toString(), "--dry-run");
    assertThat(cli.code()).isZero();
    assertThat(cli.out()).contains("region_index=2,").doesNotContain("region_index=0,");
    Cli beyond =
        tdi("plan", "--layout", layout.toString(), "--gpa", "2=0x10000000000000", "--dry-run");
    assertThat(beyond.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(beyond.err()).contains("BAR 2", "beyond 0x10000000000000");
  }

  @Test
  void aPlanOfALayoutFileSaysWhatItsKernelCantDo() throws IOException {
    Path layout =
        Files.writeString(
            directory.resolve("layout"),
            "bars: [{bar: 2, size: 16K, private: [{offset: 4K, size: 4K}]}]");
    Cli cli = tdi("plan", "--layout", layout.toString(), "--profile", "mainline-7.3");
    assertThat(cli.code()).isZero();
    assertThat(cli.out())
        .containsPattern("mapping of BAR 2 from 0x2000")
        .contains("Note: BAR 2 has 2 shared dma-bufs, one for each run")
        .contains("Note: This kernel has no interface for private MMIO");
  }

  @Test
  void aMalformedLayoutFileIsWhatTheCommandFound() throws IOException {
    Path layout = Files.writeString(directory.resolve("layout"), "bars:\n- {bar: 2}\n");
    Cli cli = tdi("plan", "--layout", layout.toString());
    assertThat(cli.code()).isEqualTo(ExitCode.CHECK_FAILED);
    assertThat(cli.err()).contains("layout, line 2: 'size' is missing");
  }

  @Test
  void barsThatTheGuestCantHaveAreRefused() {
    Cli overlap =
        tdi("plan", "--report", report.toString(), "--gpa", "0=0x10000", "--gpa", "4=0x10000");
    assertThat(overlap.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(overlap.err()).contains("overlap");
    Cli slots = tdi("plan", "--report", report.toString(), "--slots", "3");
    assertThat(slots.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(slots.err()).contains("4 slots are needed, and the VM has 3 left");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "report",
        "report R --page-size 5K",
        "report R --page-size x",
        "report R --bar 0",
        "report R --bar 0=x",
        "report R --bar 6=4K",
        "report R --bar 0=0",
        "report R --bar x=4K",
        "plan",
        "plan --report R --layout R",
        "plan --layout R --bar 0=4K",
        "plan --layout R --page-size 4K",
        "plan --report R --profile nonsense",
        "plan --report R --gpa 1=0x1000",
        "plan --report R --gpa 0=x",
        "plan --report R --slots -1",
        "nonsense",
        ""
      })
  void whatIsNotUnderstoodIsAUsageError(String command) {
    String[] words = ("tdi " + command.replace("R", report.toString())).strip().split(" ", -1);
    Cli cli = Cli.run(words);
    assertThat(cli.err()).isNotBlank();
    assertThat(cli.out()).isEmpty();
    assertThat(cli.code()).isEqualTo(ExitCode.USAGE);
  }
}
