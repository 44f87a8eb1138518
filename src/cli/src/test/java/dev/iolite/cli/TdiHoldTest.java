package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.json.JsonMapper;

/** {@code tdi assign --hold}, with commands from standard input. */
class TdiHoldTest {
  private static final String AGREE = "pages, slots, maps and dma-bufs agree";

  @TempDir private Path directory;

  private Cli hold(String kernel, String... lines) {
    return holdWith(List.of(), kernel, lines);
  }

  private Cli holdWith(List<String> more, String kernel, String... lines) {
    List<String> words =
        List.of("--kernel", kernel, "tdi", "assign", "--hold", "--run-dir", directory.toString());
    return Cli.runWith(
        String.join("\n", lines) + "\n",
        Stream.concat(words.stream(), more.stream()).toArray(String[]::new));
  }

  private void assertGivenBack(Cli cli) {
    assertThat(cli.out()).contains("check that nothing is left: all is as before");
    assertThat(cli.code()).isZero();
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void aDeviceIsPutToSleepAndWokenAndHasNoResetOfItsBus() {
    Cli cli =
        hold(
            "mock:tdx",
            "sleep",
            "read 0x2000000",
            "bind",
            "wake",
            "read 0x2000000 shared 4",
            "hot-reset");
    assertThat(cli.after("sleep")).contains("the kernel may suspend it");
    assertThat(cli.after("read 0x2000000")).contains("not reached");
    assertThat(cli.after("read 0x2000000 shared 4")).contains("0x7d150001");
    assertThat(cli.after("hot-reset")).contains("it is on a root bus");
    assertThat(cli.err()).contains("the kernel may suspend the device");
    assertGivenBack(cli);
  }

  @ParameterizedTest
  @CsvSource({"mock:tdx", "mock:sev", "mock:tdx:intel-rfc-2025", "mock:sev:v6"})
  void aWholeLifeByHand(String kernel) {
    Cli cli =
        hold(
            kernel,
            "read 0x2000000",
            "read 0x2000000 private",
            "bind",
            "read 0x2000000 shared",
            "start",
            "show",
            "unbind",
            "# the end",
            "",
            "read 0x2000000 shared 4",
            "quit");
    assertThat(cli.err()).isEmpty();
    assertThat(cli.after("read 0x2000000")).contains("shared: 0x7d150001");
    assertThat(cli.after("read 0x2000000 private")).contains("private: not reached");
    assertThat(cli.after("bind")).contains("now withdrawn", "now locked", "now split");
    assertThat(cli.after("read 0x2000000 shared")).contains("shared: not reached");
    assertThat(cli.after("start")).contains("now running");
    assertThat(cli.after("show"))
        .containsPattern("state +running")
        .containsPattern("books +" + AGREE)
        .contains("BAR 0  64 KiB: ");
    assertThat(cli.after("unbind")).contains("now shared");
    assertThat(cli.after("read 0x2000000 shared 4")).contains("0x7d150001");
    assertGivenBack(cli);
  }

  @ParameterizedTest
  @ValueSource(strings = {"mock:tdx", "mock:sev"})
  void theGuestAsksForAllOfIt(String kernel) {
    Cli cli =
        hold(
            kernel,
            "ask bind",
            "convert 0x2000 4K shared",
            "ask report 0x2000",
            "ask validate",
            "read 0x2000000 private",
            "ask start",
            "read 0x2000000 private 8",
            "write 0x2002000 0x12345678 shared",
            "read 0x2002000",
            "ask bind",
            "ask unbind");
    assertThat(cli.err()).isEmpty();
    assertThat(cli.after("ask report 0x2000")).contains("the VMM grants it: report");
    assertThat(cli.after("ask validate")).contains("grants it: validate BAR0 private 0x0+0x2000");
    assertThat(cli.after("read 0x2000000 private")).contains("private: 0xffffffff");
    assertThat(cli.after("read 0x2000000 private 8")).contains("private: 0x7d150001");
    assertThat(cli.after("write 0x2002000 0x12345678 shared")).doesNotContain("not reached");
    assertThat(cli.out())
        .contains("the VMM refuses it: bind: EBUSY", "Note: The guest asked to bind the interface");
    assertThat(cli.after("ask unbind")).contains("now shared", "the VMM grants it: unbind");
    assertGivenBack(cli);
  }

  @ParameterizedTest
  @ValueSource(strings = {"mock:tdx", "mock:sev:arm-v5", "mock:tdx:cca-v7"})
  void theDeviceMeasuresItselfForHostAndGuest(String kernel) {
    String nonce = "0123456789abcdef".repeat(4);
    Cli cli =
        hold(
            kernel,
            "bind",
            "measurements " + nonce,
            "convert 0x2000 4K shared",
            "ask measurements 0x2000",
            "read 0x2000",
            "ask measurements 0x8000",
            "measurements");
    assertThat(cli.err()).isEmpty();
    assertThat(cli.after("measurements " + nonce))
        .containsPattern("nonce asked with +" + nonce)
        .containsPattern("signature +none")
        .containsPattern("1 +mutable firmware +digest +[0-9a-f]{96}")
        .containsPattern("2 +hardware configuration +digest +[0-9a-f]{96}")
        .containsPattern("3 +mutable firmware's version +raw +\"iolite 1.0\"");
    assertThat(cli.after("ask measurements 0x2000")).contains("grants it: measurements, 169 bytes");
    assertThat(cli.after("read 0x2000")).as("the head of the message").contains("0x6012");
    assertThat(cli.after("ask measurements 0x8000"))
        .contains("the VMM refuses it: measurements: EFAULT");
    assertThat(cli.after("measurements")).doesNotContain(nonce).contains("iolite 1.0");
    assertGivenBack(cli);
  }

  @Test
  void measurementsAsJson() {
    String nonce = "00".repeat(32);
    Cli cli = holdWith(List.of("-o", "json"), "mock:tdx", "bind", "measurements " + nonce, "quit");
    ObjectReader reader = JsonMapper.shared().readerFor(JsonNode.class);
    JsonNode document = reader.<JsonNode>readValues(cli.out()).readAll().get(2);
    assertThat(document.get("nonce").asString()).isEqualTo(nonce);
    assertThat(document.get("message").asString()).hasSize(2 * 169).startsWith("1260");
    JsonNode blocks = document.get("measurements").get("blocks");
    assertThat(blocks).hasSize(3);
    assertThat(blocks.get(0).get("type").asString()).isEqualTo("mutable firmware");
    assertThat(blocks.get(0).get("digest").asBoolean()).isTrue();
    assertThat(blocks.get(2).get("value").asString()).isEqualTo("696f6c69746520312e30");
  }

  @Test
  void aCommandThatFailsSaysWhyAndEndsNothing() {
    Cli cli =
        hold(
            "mock:tdx",
            "start",
            "unbind",
            "recover",
            "ask validate",
            "frobnicate",
            "read",
            "read x",
            "read 0x1000 3",
            "read 0x1000 4 private",
            "write 0x1000 0x100 shared 1",
            "convert 0x1000 4K secret",
            "config 3",
            "config 4 0x100000000",
            "ask report",
            "ask measurements x",
            "ask for a rise",
            "measurements",
            "measurements 00",
            "measurements " + "g".repeat(64),
            "svg " + directory.resolve("a/b"),
            "read 0x2000000");
    assertThat(cli.err().lines())
        .hasSize(20)
        .allMatch(line -> line.startsWith("iolite: "))
        .anyMatch(line -> line.contains("start 0000:00:07.0: the assignment is shared"))
        .anyMatch(line -> line.contains("nothing of its BARs is private"))
        .anyMatch(line -> line.contains("there is no command 'frobnicate'"))
        .anyMatch(line -> line.contains("Missing required parameter: 'GPA'"))
        .anyMatch(line -> line.contains("1, 2, 4 or 8 bytes, not 3"))
        .anyMatch(line -> line.contains("0x100 has more than 1 bytes"))
        .anyMatch(line -> line.contains("read the measurements of 0000:00:07.0: the assignment"))
        .anyMatch(line -> line.contains("a nonce is 64 hexadecimal digits, not 2 ('help"))
        .anyMatch(line -> line.contains("a nonce is 64 hexadecimal digits, not ggg"))
        .anyMatch(line -> line.contains("no such file or directory"));
    assertThat(cli.after("read 0x2000000")).contains("0x7d150001");
    assertGivenBack(cli);
  }

  @Test
  void whatTheGuestOrTheHostRevokesIsSeenAndComesBack() {
    Cli cli =
        hold(
            "mock:tdx",
            "config 4",
            "config 4 0x100000",
            "read 0x2000000",
            "config 4 0x100007",
            "read 0x2000000 shared",
            "reset",
            "bind",
            "reset",
            "refresh",
            "bind",
            "show");
    assertThat(cli.err()).isEmpty();
    assertThat(cli.after("read 0x2000000")).contains("no memory slot is there");
    assertThat(cli.after("read 0x2000000 shared")).contains("0x7d150001");
    assertThat(cli.after("reset")).contains("the device was reset");
    assertThat(cli.after("refresh")).contains("it is error");
    assertThat(cli.after("show")).containsPattern("state +split").contains(AGREE);
    assertGivenBack(cli);
  }

  @Test
  void aKernelThatCantBindSaysSoAndIsHeldAllTheSame() {
    Cli cli = hold("mock:plain", "bind", "ask bind", "read 0x2000000 private", "config 0", "show");
    assertThat(cli.err().lines())
        .hasSize(3)
        .anyMatch(line -> line.contains("the kernel has no call for it"))
        .anyMatch(line -> line.contains("a guest in real mode can't ask for"))
        .anyMatch(line -> line.contains("makes shared accesses of 4 bytes below 4 GiB"));
    assertThat(cli.after("config 0")).contains("config 0x00: 0x");
    assertThat(cli.after("show")).contains(AGREE);
    assertGivenBack(cli);
  }

  @Test
  void asJsonThereIsOneDocumentForEachCommand() {
    Cli cli = holdWith(List.of("-o", "json"), "mock:sev", "bind", "start", "bind", "help", "quit");
    ObjectReader reader = JsonMapper.shared().readerFor(JsonNode.class);
    List<JsonNode> documents = reader.<JsonNode>readValues(cli.out()).readAll();
    assertThat(documents).hasSize(7);
    assertThat(documents.getFirst().get("command").asString()).isEqualTo("assign");
    assertThat(documents.getFirst().get("state").asString()).isEqualTo("shared");
    JsonNode bound = documents.get(1);
    assertThat(bound.get("command").asString()).isEqualTo("bind");
    assertThat(bound.get("code").asInt()).isZero();
    assertThat(bound.get("state").asString()).isEqualTo("split");
    assertThat(bound.get("events").toString()).contains("bind the interface to the guest");
    JsonNode refused = documents.get(3);
    assertThat(refused.get("code").asInt()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(refused.get("error").asString()).contains("the assignment is running");
    assertThat(documents.get(4).get("text").asString()).contains("bind", "quit");
    assertThat(documents.getLast().get("command").asString()).isEqualTo("release");
    assertThat(documents.getLast().get("events").toString()).contains("check that nothing is left");
    assertThat(cli.err()).contains("the assignment is running");
  }

  @Test
  void theBarsAreDrawn() throws IOException {
    Path file = directory.resolveSibling(directory.getFileName() + ".svg");
    try {
      Cli cli = hold("mock:tdx", "bind", "svg " + file);
      assertThat(cli.after("svg " + file)).contains("drawn into " + file);
      assertThat(Files.readString(file)).startsWith("<?xml").contains("0000:00:07.0", "BAR 0");
      assertGivenBack(cli);
    } finally {
      Files.deleteIfExists(file);
    }
  }

  @Test
  void aTraceNamesTheCallsOfTheProfile() {
    Cli cli = holdWith(List.of("--trace"), "mock:tdx", "bind", "start");
    assertThat(cli.err()).contains("IOMMU_VDEVICE_TSM_OP {", "VFIO_DMA_BUF_GET_RUNS {");
    assertGivenBack(cli);
  }

  @Test
  void aDirectoryThatCantBeMadeIsMissing() throws IOException {
    Path file = Files.createFile(directory.resolve("file"));
    Cli cli =
        Cli.run("--kernel", "mock:tdx", "tdi", "assign", "--hold", "--run-dir", file.toString());
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.err()).contains("open the directory " + file, "ENOTDIR", "--run-dir DIR");
    assertThat(cli.out()).doesNotContain("give the device");
  }
}
