package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HostKernel;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.libc.Libc;
import java.io.File;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A pseudo-terminal of this host: who has the file sits at the terminal that this side types at.
 */
final class Pty implements AutoCloseable {
  private static final long TIOCSPTLCK = 0x4004_5431;
  private static final long TIOCGPTN = 0x8004_5430L;
  private static final long TCGETS = 0x5401;
  private static final int TERMIOS_BYTES = 36;

  private final HostKernel kernel = new HostKernel();
  private final Fd master = Fd.open(kernel, FdKind.FILE, "/dev/ptmx", Libc.O_RDWR());
  private final String path;

  /** Makes one. */
  Pty() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment number = arena.allocate(ValueLayout.JAVA_INT);
      control(TIOCSPTLCK, number);
      control(TIOCGPTN, number);
      path = "/dev/pts/" + number.get(ValueLayout.JAVA_INT, 0);
    }
  }

  /** Whether this host has them. */
  static boolean isPossible() {
    return Files.isWritable(Path.of("/dev/ptmx")) && Files.exists(Path.of("/dev/pts/ptmx"));
  }

  private void control(long request, MemorySegment argument) {
    assertThat(kernel.ioctl(master.number(), request, argument.address())).isZero();
  }

  /** The terminal. */
  File file() {
    return new File(path);
  }

  /** Its settings, struct termios: those of the terminal, whichever side is asked. */
  byte[] settings() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment termios = arena.allocate(TERMIOS_BYTES, Integer.BYTES);
      control(TCGETS, termios);
      return termios.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /** Types keys at it. */
  void type(String keys) {
    try (Arena arena = Arena.ofConfined()) {
      byte[] bytes = keys.getBytes(StandardCharsets.ISO_8859_1);
      MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
      assertThat(kernel.write(master.number(), memory.address(), bytes.length))
          .isEqualTo(bytes.length);
    }
  }

  /** What it shows by now, and did not show before. */
  String shown() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(4096);
      MemorySegment poll = arena.allocate(8, Integer.BYTES);
      poll.set(ValueLayout.JAVA_INT, 0, master.number());
      poll.set(ValueLayout.JAVA_SHORT, 4, (short) Libc.POLLIN());
      if (kernel.poll(poll.address(), 1, 0) <= 0) {
        return "";
      }
      long count = kernel.read(master.number(), memory.address(), memory.byteSize());
      if (count == Errno.EIO.negated()) {
        return "";
      }
      assertThat(count).isPositive();
      return new String(
          memory.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.ISO_8859_1);
    }
  }

  @Override
  public void close() {
    master.close();
  }
}
