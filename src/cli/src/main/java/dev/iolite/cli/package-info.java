/** The command line: parses, calls the library, prints. */
@NullMarked
package dev.iolite.cli;

import org.jspecify.annotations.NullMarked;
