/** Layouts drawn with characters and as SVG. */
@NullMarked
package dev.iolite.cli.drawing;

import org.jspecify.annotations.NullMarked;
