/**
 * The calls that bind a TDI and serve its guest, as each proposal has them: one implementation for
 * each UAPI profile.
 */
@NullMarked
package dev.iolite.tdi.profile;

import org.jspecify.annotations.NullMarked;
