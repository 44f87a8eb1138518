/**
 * What a client of the kernel and a model of it share about TEE device interfaces (TDIs): the names
 * of the proposals, TDISP's states and flags, and the platforms' requirements.
 *
 * <p>Records, enums and exceptions never change: they are safe for use by several threads. Every
 * other type says which threads may use it.
 */
@NullMarked
package dev.iolite.tsm;

import org.jspecify.annotations.NullMarked;
