package dev.iolite.mock.core;

/**
 * The properties of a page table that an IOMMU's driver makes for a device, as far as VFIO's own
 * IOMMU driver uses them (struct iommu_domain).
 *
 * @param pageSizes a bit for each page size (pgsize_bitmap)
 * @param firstIova the lowest IOVA it reaches (aperture_start)
 * @param lastIova the highest IOVA it reaches, unsigned (aperture_end)
 * @param enforcesCoherency whether the IOMMU can enforce coherent DMA
 */
public record DmaDomain(long pageSizes, long firstIova, long lastIova, boolean enforcesCoherency) {}
