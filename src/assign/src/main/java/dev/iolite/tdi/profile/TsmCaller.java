package dev.iolite.tdi.profile;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.tsm.Profile;
import dev.iolite.uapi.catalog.Ioctl;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;
import java.util.function.ToLongFunction;

/** Makes the calls of a profile, and says what a failed one may have done. */
final class TsmCaller {
  private final Profile profile;

  TsmCaller(Profile profile) {
    this.profile = profile;
  }

  /**
   * Makes a call. If it was interrupted, it is not repeated, since it may have had its effect; only
   * a call without effects is repeated.
   *
   * @throws TsmCallException if it failed
   */
  void make(TsmOperation operation, Fd fd, Ioctl command, MemorySegment argument) {
    residue(operation, fd, command, argument, _ -> 0);
  }

  /**
   * Makes a request to the TSM, of which the kernel returns the residue: how many bytes of the
   * answer's room were not used or, if there is no answer, how many of the request the TSM did not
   * take (drivers/pci/tsm.c:pci_tsm_guest_req). If the TSM did not take all of a request, it did
   * not execute the one that we made.
   *
   * @param code where the argument has the TSM's code
   * @param room the room for the answer; empty if there is none
   * @return how many bytes of the room were used
   * @throws TsmCallException if it failed, or the TSM did not take all of it
   */
  long request(
      TsmOperation operation,
      Fd fd,
      Ioctl command,
      MemorySegment argument,
      ToLongFunction<MemorySegment> code,
      MemorySegment room) {
    int residue = residue(operation, fd, command, argument, code);
    if (residue > room.byteSize()) {
      String meaning =
          room.byteSize() == 0
              ? ": so many bytes of the request were not taken"
              : ": so many bytes of the room for the answer were not used, and it has fewer";
      throw failed(
          operation, fd.malformed(command, argument, residue, meaning), code(code, argument));
    }
    return room.byteSize() - residue;
  }

  private int residue(
      TsmOperation operation,
      Fd fd,
      Ioctl command,
      MemorySegment argument,
      ToLongFunction<MemorySegment> code) {
    while (true) {
      try {
        return fd.ioctl(command, argument);
      } catch (KernelException e) {
        if (e.errno() != Errno.EINTR || !operation.onlyReads()) {
          throw failed(operation, e, code(code, argument));
        }
      }
    }
  }

  private static OptionalLong code(ToLongFunction<MemorySegment> code, MemorySegment argument) {
    long said = code.applyAsLong(argument);
    return said == 0 ? OptionalLong.empty() : OptionalLong.of(said);
  }

  /** The exception for a call that failed. */
  TsmCallException failed(TsmOperation operation, KernelException kernel, OptionalLong code) {
    return new TsmCallException(
        profile, operation, kernel, Outcome.of(operation, kernel.errno()), code);
  }
}
