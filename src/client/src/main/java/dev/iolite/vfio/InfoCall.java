package dev.iolite.vfio;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.uapi.catalog.Ioctl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Consumer;

/**
 * An info ioctl that reports in argsz, the first field of its struct, how much room its reply
 * needs, and is then repeated with that much room.
 */
final class InfoCall {
  /** A reply may grow between two calls (a device-specific region appears), but not forever. */
  private static final int TRIES = 4;

  private static final long MAX_BYTES = 1 << 20;

  private InfoCall() {}

  /**
   * Makes the call until its reply fits.
   *
   * @param fixed the struct's size in bytes, which is the room on the first try
   * @param fill sets the fields other than argsz; called for each try
   * @param answers the errnos that the caller can handle
   * @return the whole reply, or one of the answers
   * @throws dev.iolite.kernel.KernelException any other errno
   * @throws MalformedReplyException if the room asked for keeps growing or is absurd
   */
  static Reply make(
      Arena arena,
      Fd fd,
      Ioctl command,
      long fixed,
      Consumer<MemorySegment> fill,
      Errno... answers) {
    long bytes = fixed;
    for (int i = 0; i < TRIES; i++) {
      MemorySegment info = arena.allocate(bytes, Long.BYTES);
      info.set(ValueLayout.JAVA_INT, 0, (int) bytes);
      fill.accept(info);
      int result = fd.ioctl(command, info, answers);
      long needed = Integer.toUnsignedLong(info.get(ValueLayout.JAVA_INT, 0));
      if (result < 0 || needed <= bytes) {
        return new Reply(result, info);
      }
      if (needed > MAX_BYTES) {
        throw new MalformedReplyException(command.name(), "it wants room for " + needed + " bytes");
      }
      bytes = needed;
    }
    throw new MalformedReplyException(
        command.name(), "after " + TRIES + " tries it still wants more room than it asked for");
  }

  /**
   * What came back.
   *
   * @param result 0, or one of the answers, negated
   * @param info the struct with what follows it
   */
  record Reply(int result, MemorySegment info) {}
}
