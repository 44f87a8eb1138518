package dev.iolite.cli;

import java.util.Optional;
import java.util.UUID;
import picocli.CommandLine.Option;

/** The VF token, an option of the commands that use a device. */
final class VfToken {
  @Option(
      names = "--vf-token",
      paramLabel = "UUID",
      description =
          "the token of SR-IOV functions: a virtual function whose physical function is bound to"
              + " vfio-pci needs the one that was given for the physical function")
  private Optional<UUID> token = Optional.empty();

  /** The token that was given. */
  Optional<UUID> given() {
    return token;
  }
}
