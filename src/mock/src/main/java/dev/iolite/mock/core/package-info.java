/**
 * What every part of the model stands on: the calling process with its memory, descriptors and
 * waiting, open files, the tree of names, and the seams between the parts.
 */
@NullMarked
package dev.iolite.mock.core;

import org.jspecify.annotations.NullMarked;
