package dev.iolite.mock.core;

/**
 * A realm's request to map private MMIO (RSI_VDEV_VALIDATE_MAPPING), which its monitor keeps until
 * the VMM has answered it.
 *
 * @param gpaBase the first guest-physical address
 * @param gpaTop the first one after the range
 * @param physical the physical address that the realm expects there
 * @param nonces what the realm has looked at
 */
public record MappingRequest(long gpaBase, long gpaTop, long physical, TdiNonces nonces) {}
