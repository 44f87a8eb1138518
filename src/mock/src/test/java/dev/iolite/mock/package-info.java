@NullMarked
package dev.iolite.mock;

import org.jspecify.annotations.NullMarked;
