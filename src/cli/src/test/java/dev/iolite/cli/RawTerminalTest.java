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
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A terminal whose keys are a guest's. */
class RawTerminalTest {
  /** Ctrl-C, Ctrl-Z, Ctrl-\, Ctrl-D, Ctrl-S, Ctrl-Q, Return, and no line's end. */
  private static final String KEYS = "\u0003\u001a\u001c\u0004\u0013\u0011\rx";

  private final HostKernel host = new HostKernel();
  private final Pty pty = new Pty();
  private final Fd terminal =
      Fd.open(host, FdKind.FILE, pty.file().toString(), Libc.O_RDWR() | Libc.O_NOCTTY());

  /** Its standard input is the terminal. */
  private final Kernel kernel =
      new ForwardingKernel(host) {
        @Override
        public int ioctl(int fd, long request, long argument) {
          assertThat(fd).isEqualTo(Terminal.IN);
          return super.ioctl(terminal.number(), request, argument);
        }
      };

  @BeforeAll
  static void needsTerminals() {
    assumeTrue(Pty.isPossible(), "needs /dev/ptmx and /dev/pts");
  }

  @AfterEach
  void close() {
    terminal.close();
    pty.close();
  }

  private String read() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(64);
      long count = host.read(terminal.number(), memory.address(), memory.byteSize());
      return new String(
          memory.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.ISO_8859_1);
    }
  }

  @Test
  void everyKeyIsTheGuestsAtOnceAndNoneIsShown() {
    try (RawTerminal _ = new RawTerminal(kernel)) {
      pty.type(KEYS);
      assertThat(read()).isEqualTo(KEYS);
      assertThat(pty.shown()).isEmpty();
    }
  }

  @Test
  void afterwardsItIsAsItWas() {
    byte[] before = pty.settings();
    RawTerminal raw = new RawTerminal(kernel);
    assertThat(pty.settings()).isNotEqualTo(before);
    raw.close();
    assertThat(pty.settings()).isEqualTo(before);
    try (RawTerminal other = new RawTerminal(kernel)) {
      byte[] others = pty.settings();
      raw.close();
      assertThat(pty.settings()).as("it is made as it was once").isEqualTo(others);
      assertThat(other).isNotNull();
    }
  }

  @Test
  void nothingIsSetWhereThereIsNoTerminal() {
    List<Long> requests = new ArrayList<>();
    Kernel none =
        new ForwardingKernel(host) {
          @Override
          public int ioctl(int fd, long request, long argument) {
            requests.add(request);
            return Errno.ENOTTY.negated();
          }
        };
    new RawTerminal(none).close();
    assertThat(requests).containsExactly(0x5401L);
  }
}
