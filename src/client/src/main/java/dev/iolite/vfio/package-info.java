/**
 * VFIO devices by their own character device: open, bind to an iommufd, attach to an I/O address
 * space, regions, interrupts, reset, features and dma-bufs.
 *
 * <p>The type one holds is the proof that a call may be made: {@link dev.iolite.vfio.VfioDevice} is
 * open and unbound, {@link dev.iolite.vfio.BoundVfioDevice} is bound.
 */
@NullMarked
package dev.iolite.vfio;

import org.jspecify.annotations.NullMarked;
