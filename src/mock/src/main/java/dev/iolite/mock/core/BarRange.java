package dev.iolite.mock.core;

/**
 * A part of a BAR.
 *
 * @param offset where it starts in the BAR, in bytes, unsigned
 * @param bytes its length, unsigned
 */
public record BarRange(long offset, long bytes) {}
