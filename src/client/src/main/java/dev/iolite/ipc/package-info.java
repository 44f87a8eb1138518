/**
 * Unix domain sockets between processes of one user, and the messages on them.
 *
 * <p>Records, enums and exceptions never change: they are safe for use by several threads. Every
 * other type says which threads may use it.
 */
@NullMarked
package dev.iolite.ipc;

import org.jspecify.annotations.NullMarked;
