package dev.iolite.pci;

import java.util.Optional;

/**
 * The {@code tsm/} directory of a function: its relation to the platform's TEE security manager.
 * See drivers/pci/tsm.c.
 *
 * @param connect the TSM that the function has a secure session with, such as {@code tsm0}
 * @param bound the TSM that has bound the function to a confidential guest
 * @param dsm the address of the function that manages this one's security
 */
public record TsmState(Optional<String> connect, Optional<String> bound, Optional<String> dsm) {}
