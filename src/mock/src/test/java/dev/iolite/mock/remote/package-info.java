/** Tests of the model as a host of its own. */
@NullMarked
package dev.iolite.mock.remote;

import org.jspecify.annotations.NullMarked;
