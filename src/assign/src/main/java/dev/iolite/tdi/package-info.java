/**
 * The assignment of a device interface to a confidential guest, from shared to private and back:
 * what is held for it at any time, and how that is released, no matter what happens.
 */
@NullMarked
package dev.iolite.tdi;

import org.jspecify.annotations.NullMarked;
