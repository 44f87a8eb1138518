/**
 * The same random programs on the lab's real kernel and on the model, compared call by call.
 *
 * <p>{@code scripts/differential} runs them for as long as one likes.
 */
@NullMarked
package dev.iolite.differential;

import org.jspecify.annotations.NullMarked;
