package dev.iolite.tdi.plan;

/**
 * What a kernel can do with the MMIO of an interface, as far as plans depend on it.
 *
 * @param sharedSlots how a slot of shared MMIO is made
 * @param privateMmio how private MMIO gets to the guest
 * @param mapsSeveralRanges whether an IOAS accepts a dma-buf of several ranges; 7.3 accepts only
 *     one
 * @param slots how many memory slots the VM has left, 0 or more
 */
public record Abilities(
    SharedSlots sharedSlots, PrivateMmio privateMmio, boolean mapsSeveralRanges, int slots) {
  /** How a slot of shared MMIO is made. */
  public enum SharedSlots {
    /** Over the BAR as this process has it mapped, as 7.3 does. */
    BY_ADDRESS,
    /** Over a shared dma-buf, at an offset in it. */
    BY_DMABUF
  }

  /** How private MMIO gets to the guest. */
  public enum PrivateMmio {
    /** Not at all: the kernel has no interface for it. */
    NOT_AT_ALL,
    /** The TSM maps what the guest validates; the VMM makes no slot. */
    BY_TSM,
    /** A slot for each run, each at its offset in the one private dma-buf of the BAR. */
    SLOTS_OF_ONE_DMABUF,
    /** A slot for each run, each over the whole of its own dma-buf. */
    SLOT_OF_WHOLE_DMABUF
  }
}
