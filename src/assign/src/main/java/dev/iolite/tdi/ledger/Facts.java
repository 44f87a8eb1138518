package dev.iolite.tdi.ledger;

import dev.iolite.tdi.layout.Kind;
import java.util.Optional;

/**
 * What is true of a page.
 *
 * @param kind what it is; empty outside of all regions
 * @param slot the memory slot that has it
 * @param map what the IOAS has there
 */
record Facts(Optional<Kind> kind, Optional<Slot> slot, Optional<Mapped> map) {
  /** The facts of a page about which nothing is recorded. */
  static final Facts NONE = new Facts(Optional.empty(), Optional.empty(), Optional.empty());

  /**
   * A memory slot.
   *
   * @param dmaBuf what it is made of; empty for something else
   */
  record Slot(int number, SlotAccess access, Optional<DmaBuf> dmaBuf) {}

  /**
   * A map in the IOAS.
   *
   * @param dmaBuf what is mapped; empty for something else
   */
  record Mapped(Optional<DmaBuf> dmaBuf) {}

  Facts withKind(Optional<Kind> changed) {
    return new Facts(changed, slot, map);
  }

  Facts withSlot(Optional<Slot> changed) {
    return new Facts(kind, changed, map);
  }

  Facts withMap(Optional<Mapped> changed) {
    return new Facts(kind, slot, changed);
  }

  boolean hasSlot(int number) {
    return slot.filter(has -> has.number == number).isPresent();
  }
}
