/** The command line: parses arguments, calls the library, prints results. */
@NullMarked
package dev.iolite.cli;

import org.jspecify.annotations.NullMarked;
