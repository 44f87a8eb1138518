package dev.iolite.vfio;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import java.lang.foreign.MemorySegment;

/**
 * A device's state as it is loaded. The driver takes it over when RESUMING is left.
 *
 * <p>For use by one thread at a time.
 */
public final class MigrationWriter implements MigrationStream {
  private final Fd fd;

  MigrationWriter(Fd fd) {
    this.fd = fd;
  }

  @Override
  public Fd fd() {
    return fd;
  }

  /**
   * Writes all of a piece of the state. Pieces need not be as they were read, but their order
   * matters.
   *
   * @throws KernelException ENODEV: RESUMING was left; EINVAL: the driver refuses the data; ENOMEM:
   *     there is more than it takes
   */
  public void write(MemorySegment from) {
    for (long done = 0; done < from.byteSize(); ) {
      long written = fd.write(from.asSlice(done));
      if (written == 0) {
        throw new MalformedReplyException("write", fd + " takes nothing more, and says no error");
      }
      done += written;
    }
  }

  @Override
  public void close() {
    fd.close();
  }

  @Override
  public String toString() {
    return fd.toString();
  }
}
