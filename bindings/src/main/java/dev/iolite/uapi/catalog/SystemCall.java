package dev.iolite.uapi.catalog;

import java.util.Optional;

/**
 * A system call.
 *
 * @param name its name in section 2 of the manual
 * @param result what it returns when it does not fail
 * @param onInterrupt what to do when it fails with EINTR
 * @param since the first Linux that has it
 */
public record SystemCall(
    String name, Result result, OnInterrupt onInterrupt, Optional<String> since) implements Call {}
