package dev.iolite.mock.tsm;

import dev.iolite.mock.core.TeeFunction;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * MMIO that a guest wants to have checked.
 *
 * @param gpaBase the first guest-physical address
 * @param gpaTop the first one after the range
 * @param physical the physical address that the guest expects there
 * @param id the id of the report's range that it belongs to, where the platform asks for it
 */
record MmioRange(long gpaBase, long gpaTop, long physical, OptionalInt id) {
  /** Makes a range on a platform that does not ask for its id. */
  MmioRange(long gpaBase, long gpaTop, long physical) {
    this(gpaBase, gpaTop, physical, OptionalInt.empty());
  }

  /** Why it is not the range that has its id in the report; empty if it is. */
  Optional<String> wrongId(TeeFunction function) {
    return id.isEmpty() ? Optional.empty() : wrongId(function, id.getAsInt());
  }

  private Optional<String> wrongId(TeeFunction function, int named) {
    Optional<TeeFunction.TeeBar> bar =
        function.teeBars().stream().filter(one -> one.index() == named).findFirst();
    if (bar.isEmpty()) {
      return Optional.of("the report has no TEE memory with range id " + named);
    }
    long offset = physical - bar.get().address();
    boolean isInside =
        function.teeRanges(named).stream()
            .anyMatch(range ->
                offset >= range.offset()
                    && offset + (gpaTop - gpaBase) <= range.offset() + range.bytes());
    return isInside
        ? Optional.empty()
        : Optional.of(
            "0x%x, 0x%x bytes, is not in the TEE memory that the report has with range id %d"
                .formatted(physical, gpaTop - gpaBase, named));
  }
}
