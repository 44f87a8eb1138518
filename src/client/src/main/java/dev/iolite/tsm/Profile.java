package dev.iolite.tsm;

import java.util.Arrays;
import java.util.Optional;

/** Which interface for binding TDIs a kernel has. Those but the first are proposals. */
public enum Profile {
  /** Linux 7.3 as released: no way to bind a TDI. */
  MAINLINE_7_3("mainline-7.3"),
  /** The iommufd calls of May 2026, with requests by scope; a number of 7.3 is in the way. */
  ARM_V5("arm-v5"),
  /** Their successor, with numbers free in 7.3 and requests by operation and architecture. */
  V6("v6"),
  /** The proposal for Arm CCA of September 2026: making the vDEVICE binds it. */
  CCA_V7("cca-v7"),
  /** The proposal of May 2025: VFIO binds, KVM takes a whole dma-buf as a private slot. */
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

  /** The profile of a name as {@link #toString} gives it; empty if there is none. */
  public static Optional<Profile> of(String name) {
    return Arrays.stream(values()).filter(profile -> profile.words.equals(name)).findFirst();
  }

  /** For example {@code seed-2025}. */
  @Override
  public String toString() {
    return words;
  }
}
