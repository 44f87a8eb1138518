/**
 * Work in steps: each step is reported with its calls, and all are undone in reverse order when the
 * work is taken back.
 */
@NullMarked
package dev.iolite.steps;

import org.jspecify.annotations.NullMarked;
