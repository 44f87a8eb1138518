/**
 * Tracing: a {@link dev.iolite.kernel.Kernel} around a Kernel that tells of every call, with its
 * arguments decoded. Where nobody traces it is simply not there.
 */
@NullMarked
package dev.iolite.trace;

import org.jspecify.annotations.NullMarked;
