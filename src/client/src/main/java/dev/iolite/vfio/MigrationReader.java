package dev.iolite.vfio;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_precopy_info;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A device's state as it is saved. It stays the same stream from PRE_COPY to STOP_COPY.
 *
 * <p>For use by one thread at a time.
 */
public final class MigrationReader implements MigrationStream {
  /** What {@link #read} returns at the end of the state. */
  public static final long END = 0;

  /** What {@link #read} returns while the device runs and has nothing new. */
  public static final long NOTHING_NEW = -1;

  private final Fd fd;

  MigrationReader(Fd fd) {
    this.fd = fd;
  }

  @Override
  public Fd fd() {
    return fd;
  }

  /**
   * Reads a piece of the state.
   *
   * @return how many bytes; {@link #END} at the end, which there is in STOP_COPY only; {@link
   *     #NOTHING_NEW} if a running device has nothing new (ENOMSG)
   * @throws KernelException ENODEV: the state was left, or the device is in ERROR; otherwise what
   *     the driver says
   */
  public long read(MemorySegment into) {
    try {
      return fd.read(into);
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOMSG) {
        return NOTHING_NEW;
      }
      throw e;
    }
  }

  /**
   * How much is left to be read while the device runs, by VFIO_MIG_GET_PRECOPY_INFO.
   *
   * @throws KernelException EINVAL: the device is not in PRE_COPY; ENOTTY: its driver has no such
   *     state
   */
  public PrecopyInfo precopyInfo() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = vfio_precopy_info.allocate(arena);
      vfio_precopy_info.argsz(info, (int) info.byteSize());
      fd.ioctl(VfioIoctls.VFIO_MIG_GET_PRECOPY_INFO, info);
      return new PrecopyInfo(
          vfio_precopy_info.initial_bytes(info),
          vfio_precopy_info.dirty_bytes(info),
          (vfio_precopy_info.flags(info) & Vfio.VFIO_PRECOPY_INFO_REINIT()) != 0);
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
