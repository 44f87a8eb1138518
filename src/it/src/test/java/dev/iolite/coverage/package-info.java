/** Which calls of Linux have a method, and where the contract makes them. */
@NullMarked
package dev.iolite.coverage;

import org.jspecify.annotations.NullMarked;
