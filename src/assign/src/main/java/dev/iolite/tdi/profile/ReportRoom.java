package dev.iolite.tdi.profile;

import dev.iolite.kernel.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.ToLongFunction;

/** Reads a report, or another object of unknown length, with more room until it fits. */
final class ReportRoom {
  private static final int FIRST = 4096;

  /** The largest object that a TSM keeps, according to the proposals for evidence. */
  static final int MOST = 16 << 20;

  private ReportRoom() {}

  /**
   * Reads the object.
   *
   * @param call fills the room and returns how many bytes of it were used; ENOSPC: the room is too
   *     small
   * @throws TsmCallException what the call reported; ENOSPC: longer than any report
   */
  static byte[] read(ToLongFunction<MemorySegment> call) {
    for (int bytes = FIRST; ; bytes *= 4) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment room = arena.allocate(bytes, Long.BYTES);
        long used = call.applyAsLong(room);
        // If the room is full, it may hold only the beginning: nobody promises an ENOSPC.
        if (used < bytes || bytes >= MOST) {
          return room.asSlice(0, used).toArray(ValueLayout.JAVA_BYTE);
        }
      } catch (TsmCallException e) {
        if (e.kernel().errno() != Errno.ENOSPC || bytes >= MOST) {
          throw e;
        }
      }
    }
  }
}
