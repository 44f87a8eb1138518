/**
 * What an assignment has done, recorded in a file entry by entry, and the recovery of what a killed
 * process left behind.
 */
@NullMarked
package dev.iolite.tdi.journal;

import org.jspecify.annotations.NullMarked;
