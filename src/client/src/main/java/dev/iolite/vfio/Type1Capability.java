package dev.iolite.vfio;

import dev.iolite.iommufd.IovaRange;
import java.util.List;

/**
 * An entry of the capability chain of VFIO_IOMMU_GET_INFO.
 *
 * <p>Its implementations are values: safe for use by several threads.
 */
public sealed interface Type1Capability {

  /**
   * VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE: where a container can map.
   *
   * @param ranges from low to high
   */
  record IovaRanges(List<IovaRange> ranges) implements Type1Capability {
    /** Copies the list. */
    public IovaRanges {
      ranges = List.copyOf(ranges);
    }
  }

  /**
   * VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION: a container tracks dirty pages.
   *
   * @param flags none so far
   * @param pageSizes the sizes of pages that it tracks, a bit each
   * @param maxBitmapBytes how large a bitmap may be
   */
  record DirtyTracking(int flags, long pageSizes, long maxBitmapBytes) implements Type1Capability {}

  /**
   * VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL: how many more mappings a container takes.
   *
   * @param mappings unsigned
   */
  record DmaAvailable(int mappings) implements Type1Capability {}

  /**
   * A capability that is not known here, or one in a version that is not known.
   *
   * @param id its number, unsigned 16 bits
   * @param version its version, unsigned 16 bits
   * @param hex its bytes after the header, up to the next capability or the end, in hexadecimal
   */
  record Unknown(int id, int version, String hex) implements Type1Capability {}
}
