/** Reports of a run as one HTML file, and what they and the output for terminals are made of. */
@NullMarked
package dev.iolite.cli.report;

import org.jspecify.annotations.NullMarked;
