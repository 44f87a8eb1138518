/**
 * Tracing: a {@link dev.iolite.kernel.Kernel} that wraps another one and reports every call, with
 * its arguments decoded. Without tracing, the wrapper is simply absent.
 *
 * <p>Records, enums and exceptions never change: they are safe for use by several threads. Every
 * other type says which threads may use it.
 */
@NullMarked
package dev.iolite.trace;

import org.jspecify.annotations.NullMarked;
