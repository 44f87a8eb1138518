package dev.iolite.pci;

import java.util.Optional;

/**
 * What the {@code tsm/} directory of a function says: its relation to the platform's TEE security
 * manager. Read in drivers/pci/tsm.c.
 *
 * @param connect the TSM that the function has a secure session with, such as {@code tsm0}
 * @param bound the TSM that the function is bound to a confidential guest by
 * @param dsm the address of the function that manages this one's security
 */
public record TsmState(Optional<String> connect, Optional<String> bound, Optional<String> dsm) {}
