package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a command prints is written, or the command fails. */
class StandardStreamTest {
  @TempDir private Path directory;

  /** Takes a few bytes at a time, and says first that it can't. */
  private static final class Halting extends ForwardingKernel {
    private final StringBuilder taken = new StringBuilder();
    private int calls;

    Halting() {
      super(new HostKernel());
    }

    @Override
    public long write(int fd, long address, long bytes) {
      calls++;
      if (calls % 2 == 1) {
        return (calls % 4 == 1 ? Errno.EINTR : Errno.EAGAIN).negated();
      }
      long part = Math.min(bytes, 3);
      taken.append(
          new String(
              java.lang.foreign.MemorySegment.ofAddress(address)
                  .reinterpret(part)
                  .toArray(java.lang.foreign.ValueLayout.JAVA_BYTE),
              StandardCharsets.US_ASCII));
      return part;
    }

    @Override
    public int poll(long pollfds, int count, int timeoutMillis) {
      return 1;
    }
  }

  @Test
  void aWriteThatTakesOnlyPartIsGoneOnWith() {
    Halting kernel = new Halting();
    StandardStream stream = new StandardStream(kernel, Terminal.OUT);
    PrintWriter writer = new PrintWriter(stream, true, StandardCharsets.US_ASCII);
    writer.println("a line of several parts");
    assertThat(kernel.taken).hasToString("a line of several parts\n");
    assertThat(stream.failure()).isEmpty();
  }

  @Test
  void theFirstFailureIsRemembered() {
    StandardStream full =
        new StandardStream(
            new ForwardingKernel(new HostKernel()) {
              private int calls;

              @Override
              public long write(int fd, long address, long bytes) {
                calls++;
                return (calls == 1 ? Errno.ENOSPC : Errno.EPIPE).negated();
              }
            },
            Terminal.OUT);
    assertThatThrownBy(() -> full.write('a')).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> full.write('b')).isInstanceOf(IOException.class);
    assertThat(full.failure()).contains(Errno.ENOSPC);
    assertThat(full.isClosedPipe()).isFalse();
  }

  /** Runs the command in a shell, which redirects its output. */
  private Cli inShell(String redirection, String... arguments) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                "bash",
                "-c",
                "set -o pipefail; \"$@\" " + redirection,
                "bash",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
    command.addAll(List.of(arguments));
    Path err = directory.resolve("err");
    Process shell =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(err.toFile())
            .start();
    int code = shell.waitFor();
    return new Cli(code, "", Files.readString(err));
  }

  @Test
  void aFullDiskIsAFailure() throws Exception {
    Cli cli = inShell("> /dev/full", "uapi", "vfio_device_info");
    assertThat(cli.code()).isEqualTo(74);
    assertThat(cli.err()).startsWith("iolite: write to standard output: ENOSPC").hasLineCount(1);
  }

  @Test
  void aClosedOutputIsAFailure() throws Exception {
    Cli cli = inShell(">&-", "uapi", "vfio_device_info");
    assertThat(cli.code()).isEqualTo(74);
  }

  /** As other programs of a pipeline, which SIGPIPE ends. */
  @Test
  void aClosedPipeIsQuiet() throws Exception {
    Cli cli = inShell("| true", "uapi");
    assertThat(cli.code()).isEqualTo(141);
    assertThat(cli.err()).isEmpty();
  }

  @Test
  void theFailureOfTheCommandItselfCountsMore() throws Exception {
    Cli cli = inShell("> /dev/full", "pci", "show", "ffff:ff:1f.7");
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
  }
}
