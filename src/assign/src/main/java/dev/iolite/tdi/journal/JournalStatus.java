package dev.iolite.tdi.journal;

import dev.iolite.kernel.FileStatus;
import dev.iolite.kernel.PrivateDirectory;
import dev.iolite.pci.PciAddress;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * A journal at one point in time.
 *
 * @param device the device that it is for
 * @param isHeld whether the process that writes it lives; if not, {@link Recovery} releases what
 *     that process has left
 * @param written when its last record was written
 */
public record JournalStatus(PciAddress device, boolean isHeld, Instant written) {
  /**
   * The journals in a directory. They are not locked, so that no assignment is kept from its own.
   *
   * @throws dev.iolite.kernel.PreconditionException if one of them cannot be opened
   */
  public static List<JournalStatus> all(PrivateDirectory directory) {
    return directory.names().stream().flatMap(name -> of(directory, name).stream()).toList();
  }

  /** Empty if it is no journal, or has been deleted. */
  private static Optional<JournalStatus> of(PrivateDirectory directory, String name) {
    return Journal.device(name)
        .flatMap(device ->
            directory
                .isLocked(name)
                .flatMap(isHeld ->
                    directory
                        .status(name)
                        .map(FileStatus::modified)
                        .map(written -> new JournalStatus(device, isHeld, written))));
  }
}
