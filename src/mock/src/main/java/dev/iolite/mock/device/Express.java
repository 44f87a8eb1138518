package dev.iolite.mock.device;

/**
 * A device's PCI Express capability. The model's devices are integrated endpoints of the root
 * complex.
 *
 * @param functionLevelReset whether the function can be reset on its own (FLR)
 * @param teeIo whether it supports TDISP (DEVCAP bit 30)
 * @param ide whether it has the Integrity and Data Encryption capability
 */
public record Express(boolean functionLevelReset, boolean teeIo, boolean ide) {}
