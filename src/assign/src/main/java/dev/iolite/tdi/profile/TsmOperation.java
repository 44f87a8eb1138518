package dev.iolite.tdi.profile;

/**
 * An operation that a proposal may offer to a VMM; {@link UapiProfile#operations} lists the ones
 * that it offers.
 */
public enum TsmOperation {
  /** Bind an interface to a VM. */
  BIND("bind", Ability.Binds.class),
  /** Unbind it. */
  UNBIND("unbind", Ability.Binds.class),
  /** Change its state. */
  SET_STATE("set the state", Ability.SetsState.class),
  /** Check a guest's private view of MMIO, and map it if the proposal has no slots for it. */
  VALIDATE_MMIO("validate MMIO", Ability.ValidatesMmio.class),
  /** Read its report. */
  READ_REPORT("read the report", Ability.ReadsReport.class),
  /** Read the measurements of its device, made for a nonce. */
  READ_MEASUREMENTS("read the measurements", Ability.Measures.class),
  /** Switch on the host's half of its path through an AMD IOMMU. */
  ENABLE_DMA("enable DMA", Ability.SwitchesDma.class),
  /** Switch it off again. */
  DISABLE_DMA("disable DMA", Ability.SwitchesDma.class),
  /** Make a dma-buf of the private parts of a BAR. */
  EXPORT_PRIVATE("export a private dma-buf", Ability.ExportsPrivate.class),
  /** Ask a dma-buf which parts of the BAR it contains. */
  LIST_RUNS("list the runs of a dma-buf", Ability.ListsRuns.class),
  /** Make a memory slot over a shared dma-buf. */
  SHARED_SLOT("make a slot over a shared dma-buf", Ability.SharedSlots.class),
  /** Make a memory slot over a private dma-buf. */
  PRIVATE_SLOT("make a slot over a private dma-buf", Ability.PrivateSlots.class);

  private final String words;
  private final Class<? extends Ability> ability;

  TsmOperation(String words, Class<? extends Ability> ability) {
    this.words = words;
    this.ability = ability;
  }

  /** The ability that a proposal needs for it. */
  Class<? extends Ability> ability() {
    return ability;
  }

  /** Whether it leaves everything as it was, so that it can be repeated. */
  boolean onlyReads() {
    return this == READ_REPORT || this == READ_MEASUREMENTS;
  }

  /** As in messages, such as {@code read the report}. */
  @Override
  public String toString() {
    return words;
  }
}
