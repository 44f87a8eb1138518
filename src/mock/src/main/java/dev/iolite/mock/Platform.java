package dev.iolite.mock;

import dev.iolite.tsm.Arch;
import dev.iolite.tsm.Profile;
import java.util.Arrays;
import java.util.Optional;

/** The platform of the modelled host, which decides how guests are protected. */
public enum Platform {
  /** Nothing: the machine of the lab, an Intel IOMMU and KVM without confidential guests. */
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

  /** The platform of a name as {@link #toString} gives it. */
  public static Optional<Platform> of(String name) {
    return Arrays.stream(values()).filter(p -> p.words.equals(name)).findFirst();
  }

  /** The profile that its kernel has unless another is asked for. */
  public Profile usualProfile() {
    return usual;
  }

  /** Whose confidential guests it has; empty: it has none. */
  Optional<Arch> arch() {
    return arch;
  }

  /** For example {@code tdx}. */
  @Override
  public String toString() {
    return words;
  }
}
