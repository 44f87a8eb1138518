package dev.iolite.ipc;

/**
 * The process at the other end of a connection, as the kernel recorded it when the connection was
 * made (SO_PEERCRED of unix(7)). A process cannot choose what is recorded.
 *
 * @param pid its number in this process's PID namespace; 0 if it is not in that namespace
 * @param user its effective user id
 */
public record Peer(long pid, long user) {}
