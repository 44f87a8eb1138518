/** The lab as a container of Testcontainers: {@link dev.iolite.testcontainers.LabContainer}. */
@NullMarked
package dev.iolite.testcontainers;

import org.jspecify.annotations.NullMarked;
