/**
 * The system-call boundary: raw calls, the descriptors they work on, and the errors they return.
 *
 * <p>{@link dev.iolite.kernel.Kernel} is the interface that everything above is written against.
 * {@link dev.iolite.kernel.HostKernel} and {@link dev.iolite.kernel.HostSupervisor} are the only
 * classes in the project that call native code.
 *
 * <p>Records, enums and exceptions never change: they are safe for use by several threads. Every
 * other type says which threads may use it.
 */
@NullMarked
package dev.iolite.kernel;

import org.jspecify.annotations.NullMarked;
