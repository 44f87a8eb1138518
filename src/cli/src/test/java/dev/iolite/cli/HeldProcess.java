package dev.iolite.cli;

import dev.iolite.kernel.HostKernel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PipedReader;
import java.io.PipedWriter;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;

/** {@code tdi assign --hold} in a thread of its own, at a terminal that is a pipe. */
final class HeldProcess implements AutoCloseable {
  private static final String HELD = "Held.";

  private final PipedWriter keyboard = new PipedWriter();
  private final CountDownLatch held = new CountDownLatch(1);
  private final StringWriter out =
      new StringWriter() {
        @Override
        public void write(String text, int offset, int length) {
          super.write(text, offset, length);
          if (text.contains(HELD)) {
            held.countDown();
          }
        }
      };
  private final StringWriter err = new StringWriter();
  private final CompletableFuture<Integer> code = new CompletableFuture<>();

  /** Starts it, and waits until the device is assigned. */
  HeldProcess(Path directory, String kernel) {
    try {
      Input in = new Input(new BufferedReader(new PipedReader(keyboard)), true);
      String[] words = {
        "--kernel", kernel, "tdi", "assign", "--hold", "--run-dir", directory.toString()
      };
      Thread.ofPlatform()
          .name("held")
          .start(() -> {
            int ended =
                Main.commandLine(
                        new HostKernel(),
                        in,
                        new PrintWriter(out),
                        Terminals::pipe,
                        new PrintWriter(err),
                        Terminals::pipe,
                        words)
                    .execute(words);
            code.complete(ended);
            held.countDown();
          });
      held.await();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Types lines. */
  void type(String... lines) {
    try {
      for (String line : lines) {
        keyboard.write(line + "\n");
      }
      keyboard.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits for its end; what it printed and its exit code. */
  Cli end() {
    int ended = code.join();
    return new Cli(ended, out.toString(), err.toString());
  }

  /** A command of another process, as far as it can be one. */
  static Cli elsewhere(Path directory, String line) {
    return Cli.run(
        Stream.concat(Stream.of(line.split(" ", -1)), Stream.of("--run-dir", directory.toString()))
            .toArray(String[]::new));
  }

  /** The end of input. */
  @Override
  public void close() {
    try {
      keyboard.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    code.join();
  }
}
