package dev.iolite.mock.iommufd;

/**
 * The properties of a page table that an IOMMU's driver has made (struct iommu_domain, of type
 * unmanaged).
 *
 * @param driver the driver that made it: only devices of this driver's IOMMUs can use it
 * @param pageSizes a bit for each page size (pgsize_bitmap)
 * @param firstIova the lowest IOVA it reaches
 * @param lastIova the highest IOVA it reaches, unsigned
 * @param tracksDirty whether it can note which pages were written (dirty_ops)
 * @param isNestParent whether a guest's page tables can be put on top of it
 * @param isWritableOnly whether it takes no read-only mappings (VT-d's erratum 772415, for parents)
 */
public record PagingDomain(
    Iommu driver,
    long pageSizes,
    long firstIova,
    long lastIova,
    boolean tracksDirty,
    boolean isNestParent,
    boolean isWritableOnly) {}
