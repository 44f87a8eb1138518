/**
 * The host's side of an assigned interface: the device with its descriptors, the VM, the guest's
 * memory. Nothing here knows which calls belong to which state.
 */
@NullMarked
package dev.iolite.tdi.host;

import org.jspecify.annotations.NullMarked;
