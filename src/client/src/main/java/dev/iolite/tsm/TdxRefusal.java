package dev.iolite.tsm;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * A reason why a TDX module refuses an interface that TDISP allows, as far as its report shows:
 * Intel's guide to TEE-IO devices, table A-5.
 */
public enum TdxRefusal {
  /** The interface must be able to do DMA without PASIDs. */
  NO_PLAIN_DMA("it makes no DMA without PASIDs"),
  /** One of the {@link #UNWANTED} flags is set. */
  USES_UNWANTED("it uses PASIDs, ATS or PRS"),
  /** A control register was locked with a feature enabled. */
  CONTROL_ON("MSI-X, LNR or TPH control is not 0");

  /** The flags that an interface must not have. */
  public static final Set<InterfaceFlag> UNWANTED =
      Collections.unmodifiableSet(
          EnumSet.of(InterfaceFlag.DMA_WITH_PASID, InterfaceFlag.ATS, InterfaceFlag.PRS));

  private final String words;

  TdxRefusal(String words) {
    this.words = words;
  }

  /**
   * Returns every reason to refuse an interface.
   *
   * @param flags what it reports about itself
   * @param controls its MSI-X, LNR and TPH control
   * @return the reasons; empty if it is accepted
   */
  public static List<TdxRefusal> of(Set<InterfaceFlag> flags, int... controls) {
    List<TdxRefusal> refusals = new ArrayList<>();
    if (!flags.contains(InterfaceFlag.DMA_WITHOUT_PASID)) {
      refusals.add(NO_PLAIN_DMA);
    }
    if (!Collections.disjoint(flags, UNWANTED)) {
      refusals.add(USES_UNWANTED);
    }
    if (IntStream.of(controls).anyMatch(control -> control != 0)) {
      refusals.add(CONTROL_ON);
    }
    return refusals;
  }

  /** For example {@code it makes no DMA without PASIDs}. */
  @Override
  public String toString() {
    return words;
  }
}
