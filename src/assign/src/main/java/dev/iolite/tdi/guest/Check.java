package dev.iolite.tdi.guest;

/**
 * A check and its outcome.
 *
 * @param what what should be the case
 * @param isSo whether it is
 * @param seen what was seen
 */
public record Check(String what, boolean isSo, String seen) {}
