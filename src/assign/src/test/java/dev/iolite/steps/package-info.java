/** Rules that hold for the steps of every scenario. */
@NullMarked
package dev.iolite.steps;

import org.jspecify.annotations.NullMarked;
