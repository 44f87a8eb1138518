package dev.iolite.mock.door;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.libc.iovec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The program's buffers that one call fills or empties.
 *
 * @param error 0, or the negated errno for which there are none
 */
record IoVector(List<Buffer> buffers, int error) {
  /** A part of the program's memory. */
  record Buffer(long address, long bytes) {}

  /**
   * Reads an array of struct iovec, as lib/iov_iter.c:iovec_from_user does.
   *
   * @param count how many, as the program says
   */
  static IoVector of(ProgramProcess caller, long address, long count) {
    if (count < 0 || count > Libc.UIO_MAXIOV()) {
      return refused(Errno.EINVAL);
    }
    try (Arena arena = Arena.ofConfined()) {
      Optional<MemorySegment> array = caller.get(arena, address, count * iovec.sizeof());
      if (array.isEmpty()) {
        return refused(Errno.EFAULT);
      }
      List<Buffer> buffers = new ArrayList<>();
      for (long i = 0; i < count; i++) {
        MemorySegment each = iovec.asSlice(array.get(), i);
        if (iovec.iov_len(each) < 0) {
          return refused(Errno.EINVAL);
        }
        buffers.add(new Buffer(iovec.iov_base(each).address(), iovec.iov_len(each)));
      }
      return new IoVector(buffers, 0);
    }
  }

  private static IoVector refused(Errno errno) {
    return new IoVector(List.of(), errno.negated());
  }
}
