/** Tests of the JUnit extension. */
@NullMarked
package dev.iolite.junit;

import org.jspecify.annotations.NullMarked;
