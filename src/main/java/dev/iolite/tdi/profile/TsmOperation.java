package dev.iolite.tdi.profile;

/**
 * An operation that a proposal may offer to a VMM; {@link UapiProfile#operations} lists those that
 * it does offer.
 */
public enum TsmOperation {
  /** Bind an interface to a VM. */
  BIND("bind"),
  /** Unbind it. */
  UNBIND("unbind"),
  /** Change its state. */
  SET_STATE("set the state"),
  /** Check a guest's private view of MMIO, and map it where the proposal has no slots for it. */
  VALIDATE_MMIO("validate MMIO"),
  /** Read its report. */
  READ_REPORT("read the report"),
  /** Read the measurements of its device, made for a nonce. */
  READ_MEASUREMENTS("read the measurements"),
  /** Switch on the host's half of its way through an AMD IOMMU. */
  ENABLE_DMA("enable DMA"),
  /** Switch that off. */
  DISABLE_DMA("disable DMA"),
  /** Make a dma-buf of the private parts of a BAR. */
  EXPORT_PRIVATE("export a private dma-buf"),
  /** Ask a dma-buf which parts of the BAR it has. */
  LIST_RUNS("list the runs of a dma-buf"),
  /** Make a memory slot over a shared dma-buf. */
  SHARED_SLOT("make a slot over a shared dma-buf"),
  /** Make a memory slot over a private dma-buf. */
  PRIVATE_SLOT("make a slot over a private dma-buf");

  private final String words;

  TsmOperation(String words) {
    this.words = words;
  }

  /** Whether it leaves all as it was, so that it can be repeated. */
  boolean onlyReads() {
    return this == READ_REPORT || this == READ_MEASUREMENTS;
  }

  /** As in messages, such as {@code read the report}. */
  @Override
  public String toString() {
    return words;
  }
}
