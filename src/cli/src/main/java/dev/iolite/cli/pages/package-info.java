/** Manual pages and completion, which packages install, made from the commands. */
@NullMarked
package dev.iolite.cli.pages;

import org.jspecify.annotations.NullMarked;
