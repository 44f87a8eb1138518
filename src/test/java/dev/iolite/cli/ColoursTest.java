package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Help.Ansi;

/** When output is coloured. */
class ColoursTest {
  private static final String TERMINAL = "/dev/pts/3";
  private static final String FILE = "/home/me/out";

  private static Kernel descriptors(String out, String err) {
    return new ForwardingKernel(new HostKernel()) {
      @Override
      public long readlink(String path, long address, long bytes) {
        byte[] target =
            (path.equals("/proc/self/fd/1") ? out : err).getBytes(StandardCharsets.UTF_8);
        MemorySegment.copy(
            target,
            0,
            MemorySegment.ofAddress(address).reinterpret(bytes),
            ValueLayout.JAVA_BYTE,
            0,
            target.length);
        return target.length;
      }
    };
  }

  private static Ansi out(String file) {
    return Colours.of(descriptors(file, FILE), Colours.OUT, Map.of());
  }

  @ParameterizedTest
  @ValueSource(strings = {"/dev/pts/0", "/dev/tty1", "/dev/ttyS0", "/dev/console", "/dev/hvc0"})
  void aTerminalIsColoured(String file) {
    assertThat(out(file)).isEqualTo(Ansi.ON);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"pipe:[123]", "socket:[1]", "/dev/null", "/tmp/dev/pts/0", "/dev/pts/0 (deleted)"})
  void nothingElseIs(String file) {
    assertThat(out(file)).isEqualTo(Ansi.OFF);
  }

  @Test
  void standardErrorDoesNotDependOnStandardOutput() {
    Kernel onlyOut = descriptors(TERMINAL, FILE);
    assertThat(Colours.of(onlyOut, Colours.OUT, Map.of())).isEqualTo(Ansi.ON);
    assertThat(Colours.of(onlyOut, Colours.ERR, Map.of())).isEqualTo(Ansi.OFF);
    Kernel onlyErr = descriptors(FILE, TERMINAL);
    assertThat(Colours.of(onlyErr, Colours.OUT, Map.of())).isEqualTo(Ansi.OFF);
    assertThat(Colours.of(onlyErr, Colours.ERR, Map.of())).isEqualTo(Ansi.ON);
  }

  @Test
  void theEnvironmentCanForbidIt() {
    Kernel terminal = descriptors(TERMINAL, TERMINAL);
    assertThat(Colours.of(terminal, Colours.OUT, Map.of("NO_COLOR", "1"))).isEqualTo(Ansi.OFF);
    assertThat(Colours.of(terminal, Colours.OUT, Map.of("TERM", "dumb"))).isEqualTo(Ansi.OFF);
    assertThat(Colours.of(terminal, Colours.OUT, Map.of("NO_COLOR", "", "TERM", "xterm")))
        .isEqualTo(Ansi.ON);
  }

  @Test
  void aDescriptorThatIsClosedIsNoTerminal() {
    Kernel closed =
        new ForwardingKernel(new HostKernel()) {
          @Override
          public long readlink(String path, long address, long bytes) {
            return Errno.ENOENT.negated();
          }
        };
    assertThat(Colours.of(closed, Colours.OUT, Map.of())).isEqualTo(Ansi.OFF);
  }
}
