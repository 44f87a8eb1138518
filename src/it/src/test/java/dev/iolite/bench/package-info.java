/** The benchmarks that scripts/bench runs against the same loops in C. */
@NullMarked
package dev.iolite.bench;

import org.jspecify.annotations.NullMarked;
