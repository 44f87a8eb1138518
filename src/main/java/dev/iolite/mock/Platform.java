package dev.iolite.mock;

import java.util.Arrays;
import java.util.Optional;

/** The platform of the modelled host, which decides how guests are protected. */
public enum Platform {
  /** Nothing: the machine of the lab, an Intel IOMMU and KVM without confidential guests. */
  PLAIN("plain", Profile.MAINLINE_7_3),
  /** Intel TDX with TDX Connect. */
  TDX("tdx", Profile.SEED_2025),
  /** AMD SEV-SNP with SEV-TIO. */
  SEV("sev", Profile.SEED_2025);

  private final String words;
  private final Profile usual;

  Platform(String words, Profile usual) {
    this.words = words;
    this.usual = usual;
  }

  /** The platform of a name as {@link #toString} gives it. */
  public static Optional<Platform> of(String name) {
    return Arrays.stream(values()).filter(p -> p.words.equals(name)).findFirst();
  }

  /** The profile that its kernel has unless another is asked for. */
  public Profile usualProfile() {
    return usual;
  }

  /** For example {@code tdx}. */
  @Override
  public String toString() {
    return words;
  }
}
