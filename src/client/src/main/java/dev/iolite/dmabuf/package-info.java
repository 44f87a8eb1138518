/**
 * dma-bufs, whoever exported them: the process's access to their memory, their fences, and those
 * that are made of this process's memory.
 *
 * <p>Records, enums and exceptions never change: they are safe for use by several threads. Every
 * other type says which threads may use it.
 */
@NullMarked
package dev.iolite.dmabuf;

import org.jspecify.annotations.NullMarked;
