package dev.iolite.tsm;

import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.TsmArmV5Ioctls;
import dev.iolite.uapi.catalog.TsmCcaV7Ioctls;
import dev.iolite.uapi.catalog.TsmIntelRfc2025Ioctls;
import dev.iolite.uapi.catalog.TsmSeed2025Ioctls;
import dev.iolite.uapi.catalog.TsmV6Ioctls;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Which interface for binding TDIs a kernel has. All except the first are proposals. */
public enum Profile {
  /** Linux 7.3 as released: no way to bind a TDI. */
  MAINLINE_7_3("mainline-7.3"),
  /**
   * The iommufd calls of May 2026, with requests by scope; one of their numbers is taken in 7.3.
   */
  ARM_V5("arm-v5"),
  /**
   * Their successor, with numbers that are free in 7.3, and requests by operation and architecture.
   */
  V6("v6"),
  /** The proposal for Arm CCA of September 2026: making the vDEVICE binds it. */
  CCA_V7("cca-v7"),
  /** The proposal of May 2025: VFIO binds, KVM takes a whole dma-buf as a private slot. */
  INTEL_RFC_2025("intel-rfc-2025"),
  /**
   * The flow discussed in July 2025: a shared and a private dma-buf for each BAR, and slots that
   * are only private. Its numbers are this project's.
   */
  SEED_2025("seed-2025");

  private final String words;

  Profile(String words) {
    this.words = words;
  }

  /** The profile with a name as {@link #toString} gives it; empty if there is none. */
  public static Optional<Profile> of(String name) {
    return Arrays.stream(values()).filter(profile -> profile.words.equals(name)).findFirst();
  }

  /** Its calls beyond those in the headers, for callers that trace them or make them fail. */
  public List<Ioctl> ioctls() {
    return switch (this) {
      case MAINLINE_7_3 -> List.of();
      case ARM_V5 -> TsmArmV5Ioctls.all();
      case V6 -> TsmV6Ioctls.all();
      case CCA_V7 -> TsmCcaV7Ioctls.all();
      case INTEL_RFC_2025 -> TsmIntelRfc2025Ioctls.all();
      case SEED_2025 -> TsmSeed2025Ioctls.all();
    };
  }

  /** For example {@code seed-2025}. */
  @Override
  public String toString() {
    return words;
  }
}
