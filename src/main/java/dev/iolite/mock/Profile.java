package dev.iolite.mock;

import java.util.Arrays;
import java.util.Optional;

/**
 * The interface for binding TDIs that a kernel has. No released kernel has one; the proposals
 * differ in numbers and shapes.
 */
public enum Profile {
  /** Linux 7.3 as released: no way to bind a TDI. */
  MAINLINE_7_3("mainline-7.3"),
  /** The iommufd calls proposed in May 2026 (TSM_OP, TSM_REQ by scope). */
  ARM_V5("arm-v5"),
  /**
   * Their successor, with numbers free in 7.3 and an operation and architecture in each request.
   */
  V6("v6"),
  /** The proposal for Arm CCA of September 2026: making the vDEVICE binds it. */
  CCA_V7("cca-v7"),
  /** The proposal of May 2025: VFIO binds, KVM takes a dma-buf as a private slot. */
  INTEL_RFC_2025("intel-rfc-2025"),
  /**
   * The flow discussed in July 2025: a shared and a private dma-buf for each BAR, slots that are
   * private only. Its numbers are this project's.
   */
  SEED_2025("seed-2025");

  private final String words;

  Profile(String words) {
    this.words = words;
  }

  /** The profile of a name as {@link #toString} gives it. */
  public static Optional<Profile> of(String name) {
    return Arrays.stream(values()).filter(p -> p.words.equals(name)).findFirst();
  }

  /** For example {@code seed-2025}. */
  @Override
  public String toString() {
    return words;
  }
}
