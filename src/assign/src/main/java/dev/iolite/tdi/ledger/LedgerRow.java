package dev.iolite.tdi.ledger;

import dev.iolite.tdi.layout.Kind;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Consecutive pages with the same facts.
 *
 * @param region the name of the region; empty outside all regions
 * @param gpa the first guest-physical address
 * @param bytes the length
 * @param kind the kind of the pages; empty outside all regions
 * @param slot the number of the memory slot that has them
 * @param access which accesses that slot serves
 * @param slotDmaBuf the dma-buf that the slot is made of; empty without a slot, or if the slot is
 *     made of something else
 * @param isMapped whether the IOAS has them at the IOVA that is their guest-physical address
 * @param mapDmaBuf the dma-buf that is mapped there; empty without a map, or if the map is of
 *     something else
 */
public record LedgerRow(
    Optional<String> region,
    long gpa,
    long bytes,
    Optional<Kind> kind,
    OptionalInt slot,
    Optional<SlotAccess> access,
    Optional<String> slotDmaBuf,
    boolean isMapped,
    Optional<String> mapDmaBuf) {}
