package dev.iolite.mock.core;

import java.util.Locale;

/**
 * Addresses that the IOMMU does not translate freely for a device (struct iommu_resv_region).
 *
 * @param first the first address
 * @param last the last address, unsigned
 * @param kind what they are for
 */
public record ReservedRegion(long first, long last, Kind kind) {
  /** The window of x86's interrupt messages. */
  public static final ReservedRegion MESSAGES =
      new ReservedRegion(0xfee0_0000L, 0xfeef_ffffL, Kind.MSI);

  /** What a region is for (enum iommu_resv_type), in the kernel's order. */
  public enum Kind {
    /** Always mapped one to one. */
    DIRECT,
    /** Mapped one to one until the device is assigned. */
    DIRECT_RELAXABLE,
    /** Never mapped. */
    RESERVED,
    /** Interrupt messages. */
    MSI;

    /**
     * The word in {@code reserved_regions} (drivers/iommu/iommu.c:iommu_group_resv_type_string).
     */
    public String word() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** Whether a user of the device can't map there (iopt_table_enforce_dev_resv_regions). */
  public boolean isForbidden() {
    return kind != Kind.DIRECT_RELAXABLE;
  }

  /** Its line in {@code reserved_regions} (drivers/iommu/iommu.c:iommu_group_show_resv_regions). */
  public String line() {
    return "0x%016x 0x%016x %s".formatted(first, last, kind.word());
  }
}
