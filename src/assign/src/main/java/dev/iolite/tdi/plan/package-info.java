/**
 * From a layout to the dma-bufs, memory slots and maps that make it so, for what a kernel can do.
 * Nothing here makes a call.
 */
@NullMarked
package dev.iolite.tdi.plan;

import org.jspecify.annotations.NullMarked;
