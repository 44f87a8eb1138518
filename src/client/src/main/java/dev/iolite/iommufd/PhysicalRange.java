package dev.iolite.iommufd;

/**
 * Memory that is contiguous for a device without an IOMMU.
 *
 * @param address the first physical address, unsigned
 * @param bytes how far it goes
 */
public record PhysicalRange(long address, long bytes) {}
