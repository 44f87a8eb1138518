package dev.iolite.dmabuf;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.uapi.catalog.DmaBufIoctls;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.dmabuf.DmaBuf;
import dev.iolite.uapi.dmabuf.dma_buf_export_sync_file;
import dev.iolite.uapi.dmabuf.dma_buf_import_sync_file;
import dev.iolite.uapi.dmabuf.dma_buf_sync;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * An open dma-buf, whoever exported it. See drivers/dma-buf/dma-buf.c:dma_buf_ioctl.
 *
 * <p>Safe for use by several threads.
 */
public final class DmaBufFile implements AutoCloseable {
  private final Fd fd;

  private DmaBufFile(Fd fd) {
    this.fd = fd;
  }

  /**
   * The calls of a dma-buf, such as VFIO's.
   *
   * @param fd its descriptor, which this closes if the descriptor is owned
   */
  public static DmaBufFile of(Fd fd) {
    if (fd.kind() != FdKind.DMA_BUF) {
      throw new IllegalArgumentException(fd + " is no dma-buf");
    }
    return new DmaBufFile(fd);
  }

  /** The descriptor, to be given to the kernel. */
  public Fd fd() {
    return fd;
  }

  /**
   * Its size in bytes, by lseek(2) to the end. See drivers/dma-buf/dma-buf.c:dma_buf_llseek.
   *
   * @throws KernelException what lseek(2) said
   */
  public long bytes() {
    long bytes = fd.kernel().lseek(fd.number(), 0, Libc.SEEK_END());
    if (bytes < 0) {
      throw new KernelException("lseek", fd.target(), "", Math.toIntExact(-bytes));
    }
    return bytes;
  }

  /**
   * Maps all of it, readable and writable. Access it between {@link #beginAccess} and {@link
   * #endAccess}.
   *
   * @throws KernelException EINVAL: its exporter lets nobody map it, as VFIO does
   */
  public Mapping map() {
    return Mapping.of(fd, 0, bytes(), Libc.PROT_READ() | Libc.PROT_WRITE());
  }

  /**
   * Begins accesses of this process: waits for the devices that use it, and makes the caches agree,
   * by DMA_BUF_IOCTL_SYNC with START.
   *
   * @throws KernelException what the exporter says. See
   *     drivers/dma-buf/dma-buf.c:dma_buf_begin_cpu_access
   */
  public void beginAccess(CpuAccess access) {
    sync(DmaBuf.DMA_BUF_SYNC_START() | access.flags());
  }

  /**
   * Ends accesses of this process: devices may use it again, by DMA_BUF_IOCTL_SYNC with END.
   *
   * @throws KernelException what the exporter says. See
   *     drivers/dma-buf/dma-buf.c:dma_buf_end_cpu_access
   */
  public void endAccess(CpuAccess access) {
    sync(DmaBuf.DMA_BUF_SYNC_END() | access.flags());
  }

  private void sync(long flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment sync = dma_buf_sync.allocate(arena);
      dma_buf_sync.flags(sync, flags);
      fd.ioctl(DmaBufIoctls.DMA_BUF_IOCTL_SYNC, sync);
    }
  }

  /**
   * Names it, for whoever looks into /proc or debugfs, by DMA_BUF_SET_NAME.
   *
   * @param name at most 31 bytes
   * @throws KernelException EINVAL: the name is too long. See
   *     drivers/dma-buf/dma-buf.c:dma_buf_set_name
   */
  public void setName(String name) {
    try (Arena arena = Arena.ofConfined()) {
      fd.ioctl(DmaBufIoctls.DMA_BUF_SET_NAME, arena.allocateFrom(name).address());
    }
  }

  /**
   * What must end before an access, as a file that can be waited for and given to others, by
   * DMA_BUF_IOCTL_EXPORT_SYNC_FILE.
   *
   * @param access the access that is to come: a read waits for writes, a write for all
   * @throws KernelException EMFILE, ENOMEM. See drivers/dma-buf/dma-buf.c:dma_buf_export_sync_file
   */
  public SyncFile exportSyncFile(CpuAccess access) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment export = dma_buf_export_sync_file.allocate(arena);
      dma_buf_export_sync_file.flags(export, access.flags());
      fd.ioctl(DmaBufIoctls.DMA_BUF_IOCTL_EXPORT_SYNC_FILE, export);
      return new SyncFile(
          Fd.owned(
              fd.kernel(), FdKind.SYNC_FILE, dma_buf_export_sync_file.fd(export), fd.toString()));
    }
  }

  /**
   * Has others wait for a sync file's work before they access it, by
   * DMA_BUF_IOCTL_IMPORT_SYNC_FILE.
   *
   * @param access what that work does
   * @throws KernelException EINVAL: it is no sync file. See
   *     drivers/dma-buf/dma-buf.c:dma_buf_import_sync_file
   */
  public void importSyncFile(SyncFile file, CpuAccess access) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment call = dma_buf_import_sync_file.allocate(arena);
      dma_buf_import_sync_file.flags(call, access.flags());
      dma_buf_import_sync_file.fd(call, file.fd().number());
      fd.ioctl(DmaBufIoctls.DMA_BUF_IOCTL_IMPORT_SYNC_FILE, call);
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
