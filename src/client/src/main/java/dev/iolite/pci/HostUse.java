package dev.iolite.pci;

/**
 * Something that this host uses through a function and would lose together with the function's
 * driver.
 *
 * @param what the use, such as {@code nvme0n1p2 is mounted at /home}
 * @param next the command that ends it
 */
public record HostUse(String what, String next) {}
