/**
 * The BARs of an assigned device as the guest and the IOAS have them: places, memory slots, maps,
 * dma-bufs, and what makes the kernel revoke these.
 */
@NullMarked
package dev.iolite.tdi.bars;

import org.jspecify.annotations.NullMarked;
