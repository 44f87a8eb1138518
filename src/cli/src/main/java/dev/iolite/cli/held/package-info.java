/** Assignments that a process holds, and what other processes say to it. */
@NullMarked
package dev.iolite.cli.held;

import org.jspecify.annotations.NullMarked;
