package dev.iolite.mock;

import dev.iolite.tsm.Arch;
import dev.iolite.tsm.Profile;
import java.util.Arrays;
import java.util.Optional;

/** The platform of the modelled host, which decides how guests are protected. */
public enum Platform {
  /** Not at all: the lab's machine, with an Intel IOMMU and KVM without confidential guests. */
  PLAIN("plain", Profile.MAINLINE_7_3, Optional.empty()),
  /** Intel TDX with TDX Connect. */
  TDX("tdx", Profile.SEED_2025, Optional.of(Arch.TDX)),
  /** AMD SEV-SNP with SEV-TIO. */
  SEV("sev", Profile.SEED_2025, Optional.of(Arch.SEV));

  private final String words;
  private final Profile usual;
  private final Optional<Arch> arch;

  Platform(String words, Profile usual, Optional<Arch> arch) {
    this.words = words;
    this.usual = usual;
    this.arch = arch;
  }

  /** The platform with a name that {@link #toString} returns. */
  public static Optional<Platform> of(String name) {
    return Arrays.stream(values()).filter(p -> p.words.equals(name)).findFirst();
  }

  /** The profile that its kernel has by default. */
  public Profile usualProfile() {
    return usual;
  }

  /**
   * Whether a host of this platform and profile is the lab's machine with a kernel whose TSM is
   * software.
   */
  public boolean hasSoftwareTsm(Profile profile) {
    return this == PLAIN && isOfLabKernel(profile);
  }

  /** Whether it is the profile of a kernel that the lab has, where vIOMMUs are the TSM's. */
  static boolean isOfLabKernel(Profile profile) {
    return profile == Profile.SEED_2025 || profile == Profile.V6;
  }

  /** The architecture of its confidential guests; empty if it has none. */
  Optional<Arch> arch() {
    return arch;
  }

  /** For example {@code tdx}. */
  @Override
  public String toString() {
    return words;
  }
}
