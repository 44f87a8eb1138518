package dev.iolite.tdi;

import dev.iolite.uapi.catalog.Ioctl;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * A call that carries out a plan.
 *
 * @param name the ioctl's name, or the system call's
 * @param command the ioctl; empty for another system call
 * @param on the descriptor that it is made on, by a name such as {@code <device>}
 * @param argument its arguments; a value that exists only when the plan is carried out has a name
 *     such as {@code <dma-buf 0>}
 * @param bytes the ioctl's struct; each byte of a value that exists only later is 0xff
 * @param makes the name given here to the descriptor or mapping that it returns; empty if it
 *     returns none
 */
public record PlannedCall(
    String name,
    Optional<Ioctl> command,
    String on,
    String argument,
    MemorySegment bytes,
    Optional<String> makes) {
  /** Makes the bytes read-only. */
  public PlannedCall {
    bytes = bytes.asReadOnly();
  }

  /** For example {@code IOMMU_IOAS_MAP_FILE <iommufd> {size=40, ...}}. */
  @Override
  public String toString() {
    return name + " " + on + " " + argument + makes.map(made -> " = " + made).orElse("");
  }
}
