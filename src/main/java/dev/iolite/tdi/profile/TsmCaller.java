package dev.iolite.tdi.profile;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.Ioctl;
import dev.iolite.kernel.KernelException;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;
import java.util.function.ToLongFunction;

/** Makes the calls of a profile, and says of those that failed what they may have done. */
final class TsmCaller {
  private final ProfileName profile;

  TsmCaller(ProfileName profile) {
    this.profile = profile;
  }

  /** As {@link #make(TsmOperation, Fd, Ioctl, MemorySegment, ToLongFunction)}, without a code. */
  int make(TsmOperation operation, Fd fd, Ioctl command, MemorySegment argument) {
    return make(operation, fd, command, argument, _ -> 0);
  }

  /**
   * Makes a call. One that was interrupted is not repeated, since it may have had its effect; one
   * that has none is.
   *
   * @param code where the argument has the TSM's code
   * @return what the call returned, not negative
   * @throws TsmCallException if it failed
   */
  int make(
      TsmOperation operation,
      Fd fd,
      Ioctl command,
      MemorySegment argument,
      ToLongFunction<MemorySegment> code) {
    int result;
    do {
      result = fd.tryIoctl(command, argument);
    } while (result == Errno.EINTR.negated() && operation.onlyReads());
    if (result < 0) {
      long said = code.applyAsLong(argument);
      throw failed(
          operation,
          fd.failed(command, argument, result),
          said == 0 ? OptionalLong.empty() : OptionalLong.of(said));
    }
    return result;
  }

  /** The exception for a call that failed. */
  TsmCallException failed(TsmOperation operation, KernelException kernel, OptionalLong code) {
    return new TsmCallException(
        profile, operation, kernel, Outcome.of(operation, kernel.errno()), code);
  }
}
