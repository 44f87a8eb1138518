/**
 * Work in steps: each is told of with what it called, and undone in reverse when the work is taken
 * back.
 */
@NullMarked
package dev.iolite.steps;

import org.jspecify.annotations.NullMarked;
