/**
 * The calls with which each proposal binds a TDI and serves its guest: one implementation for each
 * UAPI profile.
 */
@NullMarked
package dev.iolite.tdi.profile;

import org.jspecify.annotations.NullMarked;
