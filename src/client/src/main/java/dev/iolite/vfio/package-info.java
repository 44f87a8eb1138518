/**
 * VFIO devices through their own character device: open, bind to an iommufd, attach to an I/O
 * address space, use regions, interrupts, reset, features and dma-bufs.
 *
 * <p>The type that a caller holds proves which calls it may make: {@link
 * dev.iolite.vfio.VfioDevice} is open and unbound, {@link dev.iolite.vfio.BoundVfioDevice} is
 * bound.
 *
 * <p>Records, enums and exceptions never change: they are safe for use by several threads. Every
 * other type says which threads may use it.
 */
@NullMarked
package dev.iolite.vfio;

import org.jspecify.annotations.NullMarked;
