package dev.iolite.cli;

import static dev.iolite.cli.HeldProcess.elsewhere;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code tdi show}, {@code bind} and {@code unbind}, of a device that another thread holds. */
class TdiHeldTest {
  @TempDir private Path directory;

  private Path socket() {
    return directory.resolve("0000-00-07.0.sock");
  }

  @Test
  void theAnswerFitsTheTerminalOfWhoAsks() {
    try (HeldProcess _ = new HeldProcess(directory, "mock:tdx")) {
      Path svg = directory.resolve("bars.svg");
      Terminal terminal = Terminals.of(44, StandardCharsets.US_ASCII);
      String runDirectory = "--run-dir=" + directory;
      Cli shown = Cli.runAt(terminal, "tdi", "show", runDirectory, "--svg=" + svg);
      assertThat(shown.code()).as(shown.err()).isZero();
      assertThat(shown.out()).isASCII().contains("  " + ".".repeat(42) + "\n", "REGION RAM  GPA");
      assertThat(shown.out().lines()).allMatch(line -> line.length() <= 44);
      Path ofPipe = directory.resolve("of-pipe.svg");
      elsewhere(directory, "tdi show --svg=" + ofPipe);
      assertThat(svg).hasSameTextualContentAs(ofPipe);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"mock:tdx", "mock:sev"})
  void aHeldDeviceIsBoundShownAndUnboundFromElsewhere(String kernel) {
    try (HeldProcess held = new HeldProcess(directory, kernel)) {
      Cli bound = elsewhere(directory, "tdi bind");
      assertThat(bound.err()).isEmpty();
      assertThat(bound.code()).isZero();
      assertThat(bound.out()).contains("3  bind the interface", "now split");

      Cli again = elsewhere(directory, "tdi bind 00:07.0");
      assertThat(again.code()).isEqualTo(ExitCode.PRECONDITION);
      assertThat(again.err()).startsWith("iolite: bind 0000:00:07.0: the assignment is split");

      held.type("start");
      held.type("show");
      Cli shown = elsewhere(directory, "tdi show 0000:00:07.0");
      assertThat(shown.code()).isZero();
      assertThat(shown.out())
          .containsPattern("profile +seed-2025")
          .containsPattern("dma-bufs +4 open")
          .contains("pages, slots, maps and dma-bufs agree")
          .containsPattern("BAR0 +0x2000000 +8 KiB +private +\\d+ +- +mapped +- +dma-buf")
          .contains("0x2000          4 KiB  ░ shared");

      Cli unbound = elsewhere(directory, "tdi unbind");
      assertThat(unbound.code()).isZero();
      assertThat(unbound.out()).contains("now shared");
      held.type("quit");
      Cli all = held.end();
      assertThat(all.code()).isZero();
      assertThat(all.out())
          .contains("0000:00:07.0 shared> ")
          .contains("(from another shell) > bind")
          .contains("(exit code 4, it is split)")
          .contains("check that nothing is left: all is as before");
    }
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void asJsonAndDrawn() throws Exception {
    Path svg = directory.resolve("bars.svg");
    try (HeldProcess _ = new HeldProcess(directory, "mock:tdx")) {
      assertThat(elsewhere(directory, "tdi bind -o json").code()).isZero();
      Cli shown = elsewhere(directory, "tdi show -o json --svg " + svg);
      assertThat(shown.err()).isEmpty();
      JsonNode json = JsonMapper.shared().readTree(shown.out());
      assertThat(json.get("state").asString()).isEqualTo("split");
      assertThat(json.get("problems").size()).isZero();
      assertThat(json.get("dmaBufs").size()).isEqualTo(4);
      assertThat(json.get("ledger").size()).isEqualTo(6);
      assertThat(json.get("layout").get("bars").size()).isEqualTo(3);
      JsonNode refused =
          JsonMapper.shared().readTree(elsewhere(directory, "tdi bind -o json").out());
      assertThat(refused.get("code").asInt()).isEqualTo(ExitCode.PRECONDITION);
      assertThat(refused.get("error").asString()).contains("the assignment is split");
    }
    Document drawing =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new ByteArrayInputStream(Files.readAllBytes(svg)));
    assertThat(drawing.getDocumentElement().getTagName()).isEqualTo("svg");
    assertThat(drawing.getElementsByTagName("desc").item(0).getTextContent())
        .contains("3 runs, 60 KiB private, 4 KiB shared");
  }

  @Test
  void manyAtOnceAreServedOneAfterTheOther() throws Exception {
    try (HeldProcess held = new HeldProcess(directory, "mock:tdx");
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Cli>> answers = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        held.type("bind", "unbind");
        answers.add(threads.submit(() -> elsewhere(directory, "tdi show -o json")));
        answers.add(threads.submit(() -> elsewhere(directory, "tdi show")));
      }
      for (Future<Cli> answer : answers) {
        assertThat(answer.get().err()).isEmpty();
        assertThat(answer.get().code()).isZero();
      }
      held.type("quit");
      Cli all = held.end();
      assertThat(all.err()).isEmpty();
      assertThat(all.out().split("now split", -1)).hasSize(5);
      assertThat(all.code()).isZero();
    }
  }

  @Test
  void onlyItsUserCanSpeakToIt() throws Exception {
    try (HeldProcess _ = new HeldProcess(directory, "mock:tdx")) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket())))
          .isEqualTo("rw-------");
    }
    assertThat(socket()).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\n",
        "show\n",
        "{}\n",
        "[1,2]\n",
        "null\n",
        "{\"command\":{}}\n",
        "{\"command\":null}\n",
        "{\"command\":1}\n",
        "{\"command\":\"show\",\"command\":\"quit\"}\n",
        "{\"command\":\"quit\"} quit\n",
        "{\"format\":\"json\"}\n",
        "\u0000"
      })
  void whatIsNoRequestIsRefusedAndDoesNoHarm(String garbage) throws Exception {
    try (HeldProcess _ = new HeldProcess(directory, "mock:tdx")) {
      try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket()))) {
        channel.write(ByteBuffer.wrap(garbage.getBytes(StandardCharsets.UTF_8)));
        channel.shutdownOutput();
        assertThat(answer(channel)).contains("\"code\":\"2\"", "iolite: this is no request: ");
      }
      assertThat(elsewhere(directory, "tdi show").code()).isZero();
    }
  }

  private static String answer(SocketChannel channel) throws IOException {
    return new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
  }

  @Test
  void aCommandOfAnotherProcessNamesNoFileOfCommands() throws Exception {
    Path file = Files.writeString(directory.resolve("commands"), "quit");
    try (HeldProcess _ = new HeldProcess(directory, "mock:tdx")) {
      try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket()))) {
        String request = "{\"command\":\"@%s\",\"format\":\"table\"}\n".formatted(file);
        channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.UTF_8)));
        assertThat(answer(channel)).contains("there is no command");
      }
      assertThat(elsewhere(directory, "tdi show").code()).isZero();
    }
    Files.delete(file);
  }

  /** Each of them takes a thread of the holder's, and none of them sends or reads anything. */
  @Test
  void deafClientsHarmNobodyElse() throws Exception {
    List<SocketChannel> deaf = new ArrayList<>();
    try (HeldProcess _ = new HeldProcess(directory, "mock:tdx")) {
      for (int i = 0; i < 50; i++) {
        deaf.add(SocketChannel.open(UnixDomainSocketAddress.of(socket())));
      }
      assertThat(elsewhere(directory, "tdi show").code()).isZero();
      for (int i = 0; i < 64; i++) {
        deaf.add(SocketChannel.open(UnixDomainSocketAddress.of(socket())));
      }
      try (SocketChannel last = SocketChannel.open(UnixDomainSocketAddress.of(socket()))) {
        assertThat(answer(last)).contains("\"code\":\"4\"", "answers 64 others already");
      }
    } finally {
      for (SocketChannel channel : deaf) {
        channel.close();
      }
    }
  }

  /** Where another process, even of this user, has put something else, that stays. */
  @Test
  void whatIsNoStaleSocketIsNotReplaced() throws Exception {
    Files.writeString(socket(), "mine");
    Cli cli = elsewhere(directory, "--kernel mock:tdx tdi assign --hold");
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.err()).contains("something is there that is no socket");
    assertThat(socket()).hasContent("mine");
    Files.delete(socket());
  }

  @Test
  void aRequestWithoutAnEndIsCutOff() throws Exception {
    try (HeldProcess _ = new HeldProcess(directory, "mock:tdx");
        SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket()))) {
      assertThat(isCutOff(channel)).isTrue();
      assertThat(elsewhere(directory, "tdi show").code()).isZero();
    }
  }

  /** Sends more than a request may have, and waits for the other side to hang up. */
  private static boolean isCutOff(SocketChannel channel) {
    try {
      ByteBuffer much = ByteBuffer.allocate(70_000);
      while (much.hasRemaining()) {
        channel.write(much);
      }
      return answer(channel).contains("a message has at most 65536 bytes");
    } catch (IOException _) {
      return true;
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tdi show", "tdi bind", "tdi unbind 00:07.0", "tdi show --svg x"})
  void withoutAHeldDeviceItSaysHowToHoldOne(String line) {
    Cli cli = elsewhere(directory.resolve("absent"), line);
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.out()).isEmpty();
    assertThat(cli.err()).contains("there is no socket in", "Next: iolite tdi assign", "--hold");
  }

  /** A socket stays when its process is killed. */
  private void leaveSocket() throws Exception {
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket()));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tdi show", "tdi unbind 00:07.0"})
  void theSocketOfADeadProcessSaysRecover(String line) throws Exception {
    leaveSocket();
    Cli cli = elsewhere(directory, line);
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.err()).contains("nobody listens at", "Next: iolite tdi recover 0000:00:07.0");

    Cli recovered = elsewhere(directory, "tdi recover --kernel mock:tdx");
    assertThat(recovered.code()).isZero();
    assertThat(recovered.out()).contains("its socket was left, and nothing was held");
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void aProcessThatEndsBeforeItAnswersIsTold() throws Exception {
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket()));
      Thread.ofVirtual()
          .start(() -> {
            try (SocketChannel client = server.accept()) {
              client.shutdownInput();
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
      Cli cli = elsewhere(directory, "tdi show 00:07.0");
      assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
      assertThat(cli.err()).contains("it gave no answer", "it ended meanwhile");
    }
  }

  @Test
  void aDeviceIsHeldOnce() throws Exception {
    leaveSocket();
    try (HeldProcess _ = new HeldProcess(directory, "mock:tdx")) {
      Cli second = elsewhere(directory, "--kernel mock:tdx tdi assign --hold");
      assertThat(second.code()).isEqualTo(ExitCode.PRECONDITION);
      assertThat(second.err()).contains("another process listens at", "Next: iolite tdi show");
      Cli recover = elsewhere(directory, "tdi recover --kernel mock:tdx");
      assertThat(recover.code()).isEqualTo(ExitCode.PRECONDITION);
      assertThat(recover.err()).contains("it runs, and holds the device");
      assertThat(elsewhere(directory, "tdi show").code()).isZero();
    }
  }
}
