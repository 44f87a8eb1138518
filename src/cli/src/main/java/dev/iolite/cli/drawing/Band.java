package dev.iolite.cli.drawing;

import dev.iolite.tdi.layout.Kind;
import java.util.Optional;

/**
 * A part of a BAR as it is drawn.
 *
 * @param offset its start, in bytes from the start of the BAR
 * @param bytes its length
 * @param cells the width at which it is drawn
 * @param kind its kind; empty if it has runs of both kinds, too many to draw each
 */
public record Band(long offset, long bytes, int cells, Optional<Kind> kind) {}
