/**
 * Turns a layout into the dma-bufs, memory slots and maps that implement it, depending on what a
 * kernel can do. Nothing here makes a call.
 */
@NullMarked
package dev.iolite.tdi.plan;

import org.jspecify.annotations.NullMarked;
