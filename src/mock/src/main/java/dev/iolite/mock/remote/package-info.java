/**
 * A model of a host in a process of its own, which outlives the programs that use it. Their drivers
 * and connections stay, as on a real host; what a killed program left open is gone.
 */
@NullMarked
package dev.iolite.mock.remote;

import org.jspecify.annotations.NullMarked;
