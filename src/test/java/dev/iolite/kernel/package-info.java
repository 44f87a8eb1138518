/** Tests of the system-call boundary, and a stub of it for other tests. */
@NullMarked
package dev.iolite.kernel;

import org.jspecify.annotations.NullMarked;
