package dev.iolite.tdi.plan;

/**
 * A map to make in the IOAS, of shared MMIO.
 *
 * @param iova its first I/O virtual address, which is the guest-physical one
 * @param bytes its length in bytes
 * @param dmaBuf the index in {@link SlotPlan#dmaBufs} of the dma-buf that it maps
 * @param start its start, in bytes from the start of the dma-buf
 */
public record PlannedMap(long iova, long bytes, int dmaBuf, long start) {}
