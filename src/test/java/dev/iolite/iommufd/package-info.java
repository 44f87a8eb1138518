/** Tests of iommufd; those named {@code LabTest} need the lab's devices. */
@NullMarked
package dev.iolite.iommufd;

import org.jspecify.annotations.NullMarked;
