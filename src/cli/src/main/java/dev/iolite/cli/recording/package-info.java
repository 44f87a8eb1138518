/** Reads a machine as far as a recording has it. */
@NullMarked
package dev.iolite.cli.recording;

import org.jspecify.annotations.NullMarked;
