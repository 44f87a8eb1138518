/** The VMM on the lab's kernel. */
@NullMarked
package dev.iolite.vmm;

import org.jspecify.annotations.NullMarked;
