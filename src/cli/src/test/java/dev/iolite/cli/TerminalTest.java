package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Help.Ansi;

/** What a stream is connected to, and what can be shown there. */
class TerminalTest {
  private static final Charset UTF_8 = StandardCharsets.UTF_8;
  private static final long TIOCSWINSZ = 0x5414;
  private static final int NO_TERMINAL = -1;

  /** A terminal's columns for standard output and error each, or {@link #NO_TERMINAL}. */
  private static Kernel descriptors(int out, int err) {
    return new ForwardingKernel(new HostKernel()) {
      @Override
      public int ioctl(int fd, long request, long argument) {
        int columns = fd == Terminal.OUT ? out : err;
        if (columns == NO_TERMINAL) {
          return Errno.ENOTTY.negated();
        }
        MemorySegment.ofAddress(argument)
            .reinterpret(8)
            .copyFrom(MemorySegment.ofArray(new short[] {24, (short) columns, 7, 8}));
        return 0;
      }
    };
  }

  private static Terminal out(int columns, Map<String, String> environment) {
    return Terminal.of(descriptors(columns, NO_TERMINAL), Terminal.OUT, environment, UTF_8);
  }

  @Test
  void aTerminalIsColouredAndHasAWidth() {
    assertThat(out(67, Map.of())).isEqualTo(new Terminal(true, OptionalInt.of(67), UTF_8, Ansi.ON));
    assertThat(out(300, Map.of()).columns()).hasValue(300);
    assertThat(out(40_000, Map.of()).columns()).isEmpty();
  }

  @Test
  void nothingElseIs() {
    assertThat(out(NO_TERMINAL, Map.of()))
        .isEqualTo(new Terminal(false, OptionalInt.empty(), UTF_8, Ansi.OFF));
    assertThat(out(NO_TERMINAL, Map.of("COLUMNS", "50")).columns()).isEmpty();
  }

  @Test
  void aTerminalThatDoesNotKnowItsWidthIsATerminal() {
    Terminal serial = out(0, Map.of());
    assertThat(serial.columns()).isEmpty();
    assertThat(serial.isTerminal()).isTrue();
    assertThat(serial.textColumns()).isEqualTo(100);
    assertThat(serial.pictureColumns()).isEqualTo(80);
  }

  @Test
  void standardErrorDoesNotDependOnStandardOutput() {
    Kernel onlyErr = descriptors(NO_TERMINAL, 71);
    assertThat(Terminal.of(onlyErr, Terminal.OUT, Map.of(), UTF_8).isTerminal()).isFalse();
    assertThat(Terminal.of(onlyErr, Terminal.ERR, Map.of(), UTF_8).columns()).hasValue(71);
  }

  @ParameterizedTest
  @CsvSource({"50, 50", "132, 132", "10, 40", "0, 67", "-5, 67", "wide, 67", "99999, 67", "'', 67"})
  void theEnvironmentsWidthTakesPrecedenceIfItIsOne(String wanted, int columns) {
    assertThat(out(67, Map.of("COLUMNS", wanted)).columns()).hasValue(columns);
    assertThat(out(0, Map.of("COLUMNS", "50")).columns()).hasValue(50);
  }

  @Test
  void theEnvironmentCanForbidColours() {
    assertThat(out(80, Map.of("NO_COLOR", "1")).colours()).isEqualTo(Ansi.OFF);
    assertThat(out(80, Map.of("TERM", "dumb")).colours()).isEqualTo(Ansi.OFF);
    assertThat(out(80, Map.of("NO_COLOR", "", "TERM", "xterm")).colours()).isEqualTo(Ansi.ON);
  }

  /** The number of the call and the place of the answer are the kernel's. */
  @Test
  void aPseudoTerminalOfThisHostHasTheWidthThatItWasGiven() {
    assumeTrue(Files.isWritable(Path.of("/dev/ptmx")), "needs /dev/ptmx");
    assumeTrue(Files.exists(Path.of("/dev/pts/ptmx")), "needs /dev/pts");
    Kernel kernel = new HostKernel();
    try (Fd master = Fd.open(kernel, FdKind.FILE, "/dev/ptmx", Libc.O_RDWR());
        Arena arena = Arena.ofConfined()) {
      MemorySegment window = arena.allocateFrom(ValueLayout.JAVA_SHORT, new short[] {31, 57, 0, 0});
      assertThat(kernel.ioctl(master.number(), TIOCSWINSZ, window.address())).isZero();
      assertThat(Terminal.of(kernel, master.number(), Map.of(), UTF_8).columns()).hasValue(57);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/dev/null", "/proc/self/exe"})
  void aFileOfThisHostIsNoTerminal(String path) {
    Kernel kernel = new HostKernel();
    try (Fd file = Fd.open(kernel, FdKind.FILE, path, Libc.O_RDONLY())) {
      assertThat(Terminal.of(kernel, file.number(), Map.of(), UTF_8).isTerminal()).isFalse();
    }
    assertThat(Terminal.of(kernel, -1, Map.of(), UTF_8).isTerminal()).isFalse();
  }

  @Test
  void anotherProcessPrintsForItFromItsDescription() {
    Terminal ascii = new Terminal(true, OptionalInt.of(44), StandardCharsets.US_ASCII, Ansi.ON);
    Terminal described = Terminal.described(ascii.description());
    assertThat(described.columns()).hasValue(44);
    assertThat(described.charset()).isEqualTo(StandardCharsets.US_ASCII);
    assertThat(described.colours()).isEqualTo(Ansi.ON);
    Terminal pipe = Terminal.described(Terminals.pipe().description());
    assertThat(pipe).isEqualTo(Terminals.pipe());
    assertThat(Terminal.described(Map.of("charset", "no such", "columns", "x")))
        .isEqualTo(Terminals.pipe());
  }
}
