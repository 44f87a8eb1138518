/**
 * A list of what the bindings contain, for programs that show it or check it.
 *
 * <p>The lists themselves are generated together with the bindings, so that no reflection is needed
 * to find a struct by its name.
 */
@NullMarked
package dev.iolite.uapi.catalog;

import org.jspecify.annotations.NullMarked;
