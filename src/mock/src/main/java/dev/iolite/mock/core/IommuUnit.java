package dev.iolite.mock.core;

/**
 * An IOMMU of a machine, by the two registers that state its features.
 *
 * @param name its name in {@code /sys/class/iommu}, such as {@code dmar0}
 * @param kind whose it is
 * @param features VT-d's capability register, or AMD-Vi's extended feature register
 * @param moreFeatures VT-d's extended capability register, or AMD-Vi's second extended feature
 *     register
 */
public record IommuUnit(String name, Kind kind, long features, long moreFeatures) {
  /** Whose IOMMU it is. */
  public enum Kind {
    /** Intel VT-d. */
    INTEL_VTD,
    /** AMD-Vi. */
    AMD_VI
  }
}
