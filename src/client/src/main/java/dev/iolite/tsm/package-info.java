/**
 * What a client of the kernel and a model of it share about TEE device interfaces (TDIs): the names
 * of the proposals, TDISP's states and flags, and the platforms' demands.
 */
@NullMarked
package dev.iolite.tsm;

import org.jspecify.annotations.NullMarked;
