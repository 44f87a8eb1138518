/**
 * The BARs of an assigned device as the guest and the IOAS see them: addresses, memory slots, maps,
 * dma-bufs, and their revocation.
 */
@NullMarked
package dev.iolite.tdi.bars;

import org.jspecify.annotations.NullMarked;
