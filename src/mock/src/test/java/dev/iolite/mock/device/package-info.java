/** Tests of the model's devices, through the model's VFIO. */
@NullMarked
package dev.iolite.mock.device;

import org.jspecify.annotations.NullMarked;
