package dev.iolite.tdi.plan;

import dev.iolite.tdi.layout.Kind;
import java.util.OptionalInt;

/**
 * A memory slot to make. It serves only accesses of its kind.
 *
 * @param gpa its first guest-physical address
 * @param bytes its length in bytes
 * @param kind which accesses it is for
 * @param bar the index of the BAR that it shows
 * @param barOffset its start, in bytes from the start of the BAR
 * @param dmaBuf the index of its dma-buf in {@link SlotPlan#dmaBufs}; empty if it is made over the
 *     BAR as this process has it mapped
 * @param dmaBufOffset its start, in bytes from the start of the dma-buf; 0 without one
 */
public record PlannedSlot(
    long gpa,
    long bytes,
    Kind kind,
    int bar,
    long barOffset,
    OptionalInt dmaBuf,
    long dmaBufOffset) {}
