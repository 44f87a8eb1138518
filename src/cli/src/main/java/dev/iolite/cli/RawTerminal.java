package dev.iolite.cli;

import dev.iolite.kernel.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * Standard input in raw mode: each key reaches the program at once, unchanged and not echoed,
 * Ctrl-C too. Closing it makes the terminal as it was. If standard input is no terminal, nothing
 * happens.
 *
 * <p>The numbers are those of asm-generic/ioctls.h and termbits.h, which x86, Arm and RISC-V share;
 * the bindings do not have them, because they are not part of device assignment.
 */
final class RawTerminal implements AutoCloseable {
  private static final long TCGETS = 0x5401;
  private static final long TCSETSW = 0x5403;

  /** struct termios: four ints of flags, the line discipline, 19 control characters. */
  private static final int BYTES = 36;

  private static final int INPUT = 0;
  private static final int LOCAL = 12;
  private static final int CONTROL_CHARACTERS = 17;
  private static final int VTIME = CONTROL_CHARACTERS + 5;
  private static final int VMIN = CONTROL_CHARACTERS + 6;

  /** IGNBRK, BRKINT, PARMRK, ISTRIP, INLCR, IGNCR, ICRNL, IXON. */
  private static final int INPUT_FLAGS = 0x1 | 0x2 | 0x8 | 0x20 | 0x40 | 0x80 | 0x100 | 0x400;

  /** ISIG, ICANON, ECHO, ECHONL, IEXTEN. */
  private static final int LOCAL_FLAGS = 0x1 | 0x2 | 0x8 | 0x40 | 0x8000;

  private final Kernel kernel;
  private Optional<byte[]> before = Optional.empty();

  /** Makes it raw. */
  RawTerminal(Kernel kernel) {
    this.kernel = kernel;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment termios = arena.allocate(BYTES, Integer.BYTES);
      if (kernel.ioctl(Terminal.IN, TCGETS, termios.address()) == 0) {
        before = Optional.of(termios.toArray(ValueLayout.JAVA_BYTE));
        clear(termios, INPUT, INPUT_FLAGS);
        clear(termios, LOCAL, LOCAL_FLAGS);
        termios.set(ValueLayout.JAVA_BYTE, VMIN, (byte) 1);
        termios.set(ValueLayout.JAVA_BYTE, VTIME, (byte) 0);
        kernel.ioctl(Terminal.IN, TCSETSW, termios.address());
      }
    }
  }

  private static void clear(MemorySegment termios, int offset, int flags) {
    termios.set(ValueLayout.JAVA_INT, offset, termios.get(ValueLayout.JAVA_INT, offset) & ~flags);
  }

  /** Makes it as it was, once. */
  @Override
  public synchronized void close() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment termios = arena.allocate(BYTES, Integer.BYTES);
      before.ifPresent(bytes -> {
        termios.copyFrom(MemorySegment.ofArray(bytes));
        kernel.ioctl(Terminal.IN, TCSETSW, termios.address());
      });
    }
    before = Optional.empty();
  }
}
