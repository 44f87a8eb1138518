/**
 * A model of a host in its own process, which outlives the programs that use it. What these did to
 * drivers and connections remains, as on a real host; what a killed program left open is gone.
 */
@NullMarked
package dev.iolite.mock.remote;

import org.jspecify.annotations.NullMarked;
