/** {@code /dev/udmabuf}, and the dma-bufs that it makes of memfds. */
@NullMarked
package dev.iolite.mock.dmabuf;

import org.jspecify.annotations.NullMarked;
