/** The VMM's side of what a confidential guest asks for. */
@NullMarked
package dev.iolite.tdi.requests;

import org.jspecify.annotations.NullMarked;
