package dev.iolite.tdi.profile;

import dev.iolite.tdi.layout.InterfaceFlag;
import dev.iolite.tdi.layout.InterfaceReport;
import dev.iolite.tdi.layout.RangeScheme;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The architecture of a platform's confidential guests, with the numbers that all proposals use.
 */
public enum Arch {
  /** Arm CCA. */
  CCA(1),
  /** AMD SEV-SNP with SEV-TIO. */
  SEV(2),
  /** Intel TDX with TDX Connect. */
  TDX(3);

  private final int number;

  Arch(int number) {
    this.number = number;
  }

  /** The IOMMU_VDEVICE_TSM_ARCH_ number. */
  public int number() {
    return number;
  }

  /** How Linux places reported ranges in their BARs on it. */
  public RangeScheme rangeScheme() {
    return this == TDX ? RangeScheme.RELATIVE : RangeScheme.ALIGNED;
  }

  /**
   * Why its firmware does not take an interface that TDISP allows, as far as a report tells: a TDX
   * module takes no others than Intel's guide to TEE-IO devices describes (table A-5).
   *
   * @return a sentence without its full stop for each reason; nothing if it takes it
   */
  public List<String> refusals(InterfaceReport report) {
    if (this != TDX) {
      return List.of();
    }
    List<String> reasons = new ArrayList<>();
    if (!report.flags().contains(InterfaceFlag.DMA_WITHOUT_PASID)) {
      reasons.add("a TDX module refuses it: it makes no DMA without PASIDs");
    }
    String used =
        Stream.of(InterfaceFlag.DMA_WITH_PASID, InterfaceFlag.ATS, InterfaceFlag.PRS)
            .filter(report.flags()::contains)
            .map(InterfaceFlag::toString)
            .collect(Collectors.joining(", "));
    if (!used.isEmpty()) {
      reasons.add("a TDX module refuses it: it uses " + used);
    }
    if (report.msixControl() != 0 || report.lnrControl() != 0 || report.tphControl() != 0) {
      reasons.add("a TDX module refuses it: MSI-X, LNR or TPH control is not 0");
    }
    return reasons;
  }
}
