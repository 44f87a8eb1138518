package dev.iolite.cli.report;

/**
 * A fact about the run, the device or the host.
 *
 * @param name what it is, for example {@code Linux}
 * @param value for example {@code 7.3.0}
 */
public record Fact(String name, String value) {}
