/** Tests in the lab, and what brings their results out of it. */
@NullMarked
package dev.iolite.lab;

import org.jspecify.annotations.NullMarked;
