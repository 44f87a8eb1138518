/**
 * The door to the model for programs that were not written for it: their system calls are answered
 * here, by seccomp's user notification.
 */
@NullMarked
package dev.iolite.mock.door;

import org.jspecify.annotations.NullMarked;
