package dev.iolite.tdi.plan;

import dev.iolite.uapi.catalog.Ioctl;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * An ioctl that a plan makes.
 *
 * @param command the command
 * @param on the descriptor that it is made on, by a name such as {@code <device>}
 * @param argument the fields of its struct; a value that exists only when the plan is carried out
 *     has a name such as {@code <dma-buf 0>}
 * @param bytes the struct; each byte of a value that exists only later is 0xff
 * @param makes what the descriptor that it returns is called here; empty if it returns none
 */
public record PlannedIoctl(
    Ioctl command, String on, String argument, MemorySegment bytes, Optional<String> makes) {
  /** Makes the bytes read-only. */
  public PlannedIoctl {
    bytes = bytes.asReadOnly();
  }

  /** For example {@code IOMMU_IOAS_MAP_FILE <iommufd> {size=40, ...}}. */
  @Override
  public String toString() {
    return command.name() + " " + on + " " + argument + makes.map(name -> " = " + name).orElse("");
  }
}
