package dev.iolite.mock.core;

/**
 * Identifies the lock, report and measurements of an interface that a realm has looked at. In
 * reality these are random numbers; here they are counts, each used once.
 */
public record TdiNonces(long lock, long report, long measurements) {}
