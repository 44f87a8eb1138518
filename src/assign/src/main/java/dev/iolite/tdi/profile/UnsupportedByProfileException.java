package dev.iolite.tdi.profile;

import dev.iolite.tsm.Arch;
import dev.iolite.tsm.Profile;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** An operation that a proposal does not have; no call was made. */
public final class UnsupportedByProfileException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Profile profile;
  private final TsmOperation operation;

  UnsupportedByProfileException(Profile profile, Arch arch, TsmOperation operation) {
    super(message(profile, arch, operation));
    this.profile = profile;
    this.operation = operation;
  }

  private static String message(Profile profile, Arch arch, TsmOperation operation) {
    List<Profile> others =
        Arrays.stream(Profile.values())
            .filter(name -> UapiProfile.of(name, arch).operations().contains(operation))
            .toList();
    return "can't %s: the UAPI profile %s has no call for it on %s. Profiles that have: %s"
        .formatted(
            operation,
            profile,
            arch,
            others.isEmpty()
                ? "none"
                : others.stream().map(Profile::toString).collect(Collectors.joining(", ")));
  }

  /** The profile that was used. */
  public Profile profile() {
    return profile;
  }

  /** What it does not have. */
  public TsmOperation operation() {
    return operation;
  }
}
