package dev.iolite.vfio;

import dev.iolite.iommufd.IovaRange;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_iommu_type1_info_cap_iova_range;
import dev.iolite.uapi.vfio.vfio_iommu_type1_info_cap_migration;
import dev.iolite.uapi.vfio.vfio_iommu_type1_info_dma_avail;
import dev.iolite.uapi.vfio.vfio_iova_range;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Decodes the capabilities of a container's IOMMU. */
final class Type1Capabilities {
  private static final int KNOWN_VERSION = 1;

  private Type1Capabilities() {}

  /** A capability of VFIO_IOMMU_GET_INFO. */
  static Type1Capability of(CapabilityChain.Raw raw) {
    if (raw.version() != KNOWN_VERSION) {
      return unknown(raw);
    }
    if (raw.id() == Vfio.VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE()) {
      return iovaRanges(raw);
    }
    if (raw.id() == Vfio.VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION()) {
      MemorySegment migration = raw.atLeast(vfio_iommu_type1_info_cap_migration.sizeof());
      return new Type1Capability.DirtyTracking(
          vfio_iommu_type1_info_cap_migration.flags(migration),
          vfio_iommu_type1_info_cap_migration.pgsize_bitmap(migration),
          vfio_iommu_type1_info_cap_migration.max_dirty_bitmap_size(migration));
    }
    if (raw.id() == Vfio.VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL()) {
      return new Type1Capability.DmaAvailable(
          vfio_iommu_type1_info_dma_avail.avail(
              raw.atLeast(vfio_iommu_type1_info_dma_avail.sizeof())));
    }
    return unknown(raw);
  }

  private static Type1Capability iovaRanges(CapabilityChain.Raw raw) {
    long head = vfio_iommu_type1_info_cap_iova_range.iova_ranges$offset();
    long count =
        Integer.toUnsignedLong(vfio_iommu_type1_info_cap_iova_range.nr_iovas(raw.atLeast(head)));
    MemorySegment bytes = raw.atLeast(head + count * vfio_iova_range.sizeof());
    List<IovaRange> ranges = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      MemorySegment range = vfio_iova_range.asSlice(bytes.asSlice(head), i);
      long first = vfio_iova_range.start(range);
      long last = vfio_iova_range.end(range);
      if (Long.compareUnsigned(last, first) < 0) {
        throw new MalformedReplyException(
            raw.call(), "a range of IOVAs from 0x%x to 0x%x".formatted(first, last));
      }
      ranges.add(new IovaRange(first, last));
    }
    return new Type1Capability.IovaRanges(ranges);
  }

  private static Type1Capability unknown(CapabilityChain.Raw raw) {
    return new Type1Capability.Unknown(raw.id(), raw.version(), raw.hex());
  }
}
