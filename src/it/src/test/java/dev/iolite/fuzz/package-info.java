/** What comes from a device, a file, a user or the kernel, as bytes that nobody has thought of. */
@NullMarked
package dev.iolite.fuzz;

import org.jspecify.annotations.NullMarked;
