/**
 * What Linux does, written once against {@link dev.iolite.kernel.Kernel} and run on every kernel
 * there is: the lab's real one, the host's own, and the mock. The real one is right.
 *
 * <p>Each case makes raw system calls with the structs of the bindings, so that it can ask for what
 * the library would never ask. The comment in a case names the kernel function that answers.
 */
@NullMarked
package dev.iolite.contract;

import org.jspecify.annotations.NullMarked;
