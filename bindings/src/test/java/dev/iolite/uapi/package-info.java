/** Tests that hold the bindings against the kernel's headers. */
@NullMarked
package dev.iolite.uapi;

import org.jspecify.annotations.NullMarked;
