package dev.iolite.mock.core;

/**
 * Which lock, report and measurements of an interface a realm has looked at: random numbers in
 * reality, counts here, of which each is used once.
 */
public record TdiNonces(long lock, long report, long measurements) {}
