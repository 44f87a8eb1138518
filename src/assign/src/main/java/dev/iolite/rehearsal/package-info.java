/**
 * Rehearsals of an assignment: a confidential host, its device and a guest that follows
 * instructions, all of them models. This is the only package that knows both the assignment and the
 * model.
 */
@NullMarked
package dev.iolite.rehearsal;

import org.jspecify.annotations.NullMarked;
