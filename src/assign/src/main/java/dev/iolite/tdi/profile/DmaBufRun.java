package dev.iolite.tdi.profile;

/**
 * A part of a BAR and where it is in a dma-buf, according to the kernel.
 *
 * @param barOffset its start in the BAR, in bytes
 * @param bufOffset its start in the dma-buf, in bytes
 * @param bytes its length in bytes
 */
public record DmaBufRun(long barOffset, long bufOffset, long bytes) {
  @Override
  public String toString() {
    return "BAR 0x%x+0x%x at 0x%x of the dma-buf".formatted(barOffset, bytes, bufOffset);
  }
}
