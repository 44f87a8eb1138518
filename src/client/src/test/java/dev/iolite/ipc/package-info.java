/** Tests of the sockets between processes. */
@NullMarked
package dev.iolite.ipc;

import org.jspecify.annotations.NullMarked;
