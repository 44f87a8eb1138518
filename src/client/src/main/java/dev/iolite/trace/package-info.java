/**
 * Tracing: a {@link dev.iolite.kernel.Kernel} around another one that reports every call, with its
 * arguments decoded. Without tracing, it is simply absent.
 */
@NullMarked
package dev.iolite.trace;

import org.jspecify.annotations.NullMarked;
