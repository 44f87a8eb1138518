/**
 * TEE device interfaces (TDIs), as far as a client of the kernel and a model of it must agree: the
 * proposals' names, TDISP's states and flags, and what platforms demand.
 */
@NullMarked
package dev.iolite.tsm;

import org.jspecify.annotations.NullMarked;
