/**
 * The calls of each proposal that bind a TDI and serve its guest: one implementation for each UAPI
 * profile.
 */
@NullMarked
package dev.iolite.tdi.profile;

import org.jspecify.annotations.NullMarked;
