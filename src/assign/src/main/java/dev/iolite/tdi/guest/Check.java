package dev.iolite.tdi.guest;

/**
 * A check and its outcome.
 *
 * @param what what is to be so
 * @param isSo whether it is
 * @param seen what was seen
 */
public record Check(String what, boolean isSo, String seen) {}
