package dev.iolite.kernel;

import dev.iolite.uapi.dmabuf.DmaBuf;
import dev.iolite.uapi.dmabuf.dma_buf_export_sync_file;
import dev.iolite.uapi.dmabuf.dma_buf_import_sync_file;
import dev.iolite.uapi.dmabuf.dma_buf_sync;
import java.util.List;

/**
 * Every command of {@code linux/dma-buf.h}: what a dma-buf can be asked, no matter who exported it.
 *
 * <p>drivers/dma-buf/dma-buf.c:dma_buf_ioctl
 */
public final class DmaBufIoctls {
  /** Begins or ends an access of the processor to the buffer. */
  public static final Ioctl DMA_BUF_IOCTL_SYNC =
      Ioctl.of(
          FdKind.DMA_BUF, "DMA_BUF_IOCTL_SYNC", DmaBuf.DMA_BUF_IOCTL_SYNC(), dma_buf_sync.layout());

  /**
   * Names the buffer; the argument is the address of a string. DMA_BUF_SET_NAME_B is the same
   * number where pointers have 64 bits.
   */
  public static final Ioctl DMA_BUF_SET_NAME =
      Ioctl.plain(FdKind.DMA_BUF, "DMA_BUF_SET_NAME", DmaBuf.DMA_BUF_SET_NAME());

  /** As {@link #DMA_BUF_SET_NAME}, with the number that 32-bit programs use. */
  public static final Ioctl DMA_BUF_SET_NAME_A =
      Ioctl.plain(FdKind.DMA_BUF, "DMA_BUF_SET_NAME_A", DmaBuf.DMA_BUF_SET_NAME_A());

  /** Exports the fences of the buffer as a sync_file, whose descriptor is in the struct. */
  public static final Ioctl DMA_BUF_IOCTL_EXPORT_SYNC_FILE =
      Ioctl.of(
          FdKind.DMA_BUF,
          "DMA_BUF_IOCTL_EXPORT_SYNC_FILE",
          DmaBuf.DMA_BUF_IOCTL_EXPORT_SYNC_FILE(),
          dma_buf_export_sync_file.layout());

  /** Adds the fence of a sync_file to the buffer. */
  public static final Ioctl DMA_BUF_IOCTL_IMPORT_SYNC_FILE =
      Ioctl.of(
          FdKind.DMA_BUF,
          "DMA_BUF_IOCTL_IMPORT_SYNC_FILE",
          DmaBuf.DMA_BUF_IOCTL_IMPORT_SYNC_FILE(),
          dma_buf_import_sync_file.layout());

  private DmaBufIoctls() {}

  /** All of them. */
  public static List<Ioctl> all() {
    return List.of(
        DMA_BUF_IOCTL_SYNC,
        DMA_BUF_SET_NAME,
        DMA_BUF_SET_NAME_A,
        DMA_BUF_IOCTL_EXPORT_SYNC_FILE,
        DMA_BUF_IOCTL_IMPORT_SYNC_FILE);
  }
}
