package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.HostKernel;
import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code tdi watch}, of a device that another thread holds. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class TdiWatchTest {
  @TempDir private Path directory;

  /** A watcher in a thread of its own. */
  private static final class Watcher {
    private final CountDownLatch sawSplit = new CountDownLatch(1);
    private final StringWriter out =
        new StringWriter() {
          @Override
          public void write(String text, int offset, int length) {
            super.write(text, offset, length);
            if (getBuffer().indexOf("split") >= 0) {
              sawSplit.countDown();
            }
          }
        };
    private final StringWriter err = new StringWriter();
    private final CompletableFuture<Integer> code = new CompletableFuture<>();

    Watcher(Terminal terminal, String... words) {
      Input none = new Input(new BufferedReader(new StringReader("")), false);
      Thread.ofPlatform()
          .name("watcher")
          .start(() ->
              code.complete(
                  Main.commandLine(
                          new HostKernel(),
                          none,
                          new PrintWriter(out),
                          () -> terminal,
                          new PrintWriter(err),
                          () -> terminal)
                      .execute(words)));
    }

    Cli end() {
      int ended = code.join();
      return new Cli(ended, out.toString(), err.toString());
    }
  }

  /** Holds a device, has it watched, binds it, and gives it back. */
  private Cli watched(Terminal terminal, String... more) throws InterruptedException {
    try (HeldProcess held = new HeldProcess(directory, "mock:tdx")) {
      String[] words = new String[4 + more.length];
      List.of("tdi", "watch", "--run-dir", directory.toString()).toArray(words);
      System.arraycopy(more, 0, words, 4, more.length);
      Watcher watcher = new Watcher(terminal, words);
      held.type("bind");
      watcher.sawSplit.await();
      held.type("quit");
      Cli cli = watcher.end();
      assertThat(held.end().out()).doesNotContain("watch");
      return cli;
    }
  }

  @Test
  void inAPipeEachEventIsALine() throws InterruptedException {
    Cli cli = watched(Terminals.pipe());
    assertThat(cli.err()).isEmpty();
    assertThat(cli.code()).isZero();
    assertThat(cli.out().lines().map(line -> line.replaceFirst("^\\d\\d:\\d\\d:\\d\\d  ", "")))
        .containsSequence("3  bind the interface", "now locked")
        .containsSequence("now split", "> bind (exit code 0)")
        .contains("give everything back")
        .doesNotHaveDuplicates();
    assertThat(cli.out()).doesNotContain("\u001b");
  }

  @Test
  void itFitsANarrowTerminalOfAscii() throws InterruptedException {
    Cli cli = watched(Terminals.of(40, StandardCharsets.US_ASCII));
    String text = cli.out().replaceAll("\u001b\\[[?0-9]*[A-Za-z]", "\n");
    assertThat(text).isASCII();
    assertThat(text.lines()).allMatch(line -> line.strip().length() <= 40);
  }

  @Test
  void asJsonEachChangeIsALine() throws InterruptedException {
    Cli cli = watched(Terminals.pipe(), "-o", "jsonl");
    List<JsonNode> lines = cli.out().lines().map(JsonMapper.shared()::readTree).toList();
    assertThat(lines).extracting(line -> line.get("state").asString()).contains("split");
    assertThat(lines)
        .allSatisfy(line -> assertThat(line.get("command").asString()).isEqualTo("watch"))
        .flatExtracting(line -> line.get("news").valueStream().map(JsonNode::asString).toList())
        .anyMatch(news -> news.endsWith("now split"))
        .anyMatch(news -> news.endsWith("> quit (exit code 0)"));
  }

  @Test
  void withoutAHolderThereIsNothingToWatch() {
    Cli cli = HeldProcess.elsewhere(directory, "tdi watch");
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.err()).contains("no process of this user holds a device");
  }

  @Test
  void aScreenReplacesWhatItShowsAndMakesTheTerminalAsItWas() {
    StringWriter out = new StringWriter();
    try (Screen screen = new Screen(new PrintWriter(out))) {
      screen.show("one\ntwo\nthree\n", OptionalInt.of(2));
      screen.show("four", OptionalInt.empty());
    }
    assertThat(out)
        .hasToString(
            "\u001b[?1049h\u001b[?25l"
                + "\u001b[Hone\u001b[K\r\ntwo\u001b[K\u001b[J"
                + "\u001b[Hfour\u001b[K\u001b[J"
                + "\u001b[?25h\u001b[?1049l");
  }
}
