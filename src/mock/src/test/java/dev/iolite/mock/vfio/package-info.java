/** Tests of the model's VFIO. */
@NullMarked
package dev.iolite.mock.vfio;

import org.jspecify.annotations.NullMarked;
