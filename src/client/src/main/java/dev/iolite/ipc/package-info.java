/** Unix domain sockets between processes of one user, and the messages on them. */
@NullMarked
package dev.iolite.ipc;

import org.jspecify.annotations.NullMarked;
