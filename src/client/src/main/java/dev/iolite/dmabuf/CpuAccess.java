package dev.iolite.dmabuf;

import dev.iolite.uapi.dmabuf.DmaBuf;

/** What this process does with the memory of a dma-buf. */
public enum CpuAccess {
  /** It reads what devices wrote. */
  READ(DmaBuf.DMA_BUF_SYNC_READ()),
  /** It writes what devices read. */
  WRITE(DmaBuf.DMA_BUF_SYNC_WRITE()),
  /** It does both. */
  READ_WRITE(DmaBuf.DMA_BUF_SYNC_RW());

  private final int flags;

  CpuAccess(int flags) {
    this.flags = flags;
  }

  int flags() {
    return flags;
  }
}
