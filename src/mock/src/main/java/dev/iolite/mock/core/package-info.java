/**
 * The foundation of every part of the model: the calling process with its memory, descriptors and
 * waiting, open files, the file tree, and the interfaces between the parts.
 */
@NullMarked
package dev.iolite.mock.core;

import org.jspecify.annotations.NullMarked;
