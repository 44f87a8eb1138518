/**
 * An assignment rehearsed: a confidential host, its device and a guest that does what it is told,
 * all of them models. The only room that knows both the assignment and the model.
 */
@NullMarked
package dev.iolite.rehearsal;

import org.jspecify.annotations.NullMarked;
