/** Finds out what a host can do for device assignment, and what it lacks. */
@NullMarked
package dev.iolite.doctor;

import org.jspecify.annotations.NullMarked;
