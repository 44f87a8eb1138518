package dev.iolite.pci;

/**
 * Something that this host uses of a function and would lose together with the function's driver.
 *
 * @param what such as {@code nvme0n1p2 is mounted at /home}
 * @param next the command that ends it
 */
public record HostUse(String what, String next) {}
