package dev.iolite.mock.iommufd;

import java.lang.foreign.MemorySegment;

/**
 * What an IOMMU's driver reports about its hardware.
 *
 * @param type IOMMU_HW_INFO_TYPE_*
 * @param data the struct of that type
 */
public record IommuHwInfo(int type, MemorySegment data) {}
