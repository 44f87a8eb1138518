/** Assignments that a process holds, and the commands that other processes send to it. */
@NullMarked
package dev.iolite.cli.held;

import org.jspecify.annotations.NullMarked;
