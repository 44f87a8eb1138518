package dev.iolite.mock.core;

/**
 * A request to mmap(2).
 *
 * @param bytes how much, in whole pages
 * @param protection PROT_* bits
 * @param flags MAP_* bits
 * @param offset where in the file, in bytes, a multiple of the page size
 */
public record MapRequest(long bytes, int protection, int flags, long offset) {}
