/** Tests of the lab's container that need no container engine. */
@NullMarked
package dev.iolite.testcontainers;

import org.jspecify.annotations.NullMarked;
