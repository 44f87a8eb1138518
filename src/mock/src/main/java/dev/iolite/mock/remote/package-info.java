/**
 * A model of a host in a process of its own, which outlives the programs that use it: their drivers
 * and connections stay, as on a real host, and what a killed program left open is gone.
 */
@NullMarked
package dev.iolite.mock.remote;

import org.jspecify.annotations.NullMarked;
