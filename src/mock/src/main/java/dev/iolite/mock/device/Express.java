package dev.iolite.mock.device;

import java.util.Set;

/**
 * A device's PCI Express capability. The model's devices are integrated endpoints of the root
 * complex.
 *
 * @param functionLevelReset whether the function can be reset on its own (FLR)
 * @param teeIo whether it supports TDISP (DEVCAP bit 30)
 * @param ide whether it has the Integrity and Data Encryption capability
 * @param extended the other extended capabilities that it has
 */
public record Express(
    boolean functionLevelReset, boolean teeIo, boolean ide, Set<ExtendedCapability> extended) {
  /** Copies the set. */
  public Express {
    extended = Set.copyOf(extended);
  }

  /** Makes it without further extended capabilities. */
  public Express(boolean functionLevelReset, boolean teeIo, boolean ide) {
    this(functionLevelReset, teeIo, ide, Set.of());
  }
}
