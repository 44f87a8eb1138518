/**
 * What a device says about its firmware and configuration, so that a guest can decide whether to
 * trust it. Nothing here makes a call.
 */
@NullMarked
package dev.iolite.tdi.evidence;

import org.jspecify.annotations.NullMarked;
