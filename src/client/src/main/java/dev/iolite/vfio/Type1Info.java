package dev.iolite.vfio;

import dev.iolite.iommufd.IovaRange;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What VFIO_IOMMU_GET_INFO says about the IOMMU of a container.
 *
 * @param flags VFIO_IOMMU_INFO_* bits
 * @param pageSizes the sizes of pages that it maps, a bit each
 * @param capabilities the capability chain
 */
public record Type1Info(int flags, long pageSizes, List<Type1Capability> capabilities) {
  /** Copies the list. */
  public Type1Info {
    capabilities = List.copyOf(capabilities);
  }

  /** The smallest page. */
  public long pageBytes() {
    return Long.lowestOneBit(pageSizes);
  }

  /** Where something can be mapped; empty if the kernel does not tell. */
  public List<IovaRange> iovaRanges() {
    return one(Type1Capability.IovaRanges.class)
        .map(Type1Capability.IovaRanges::ranges)
        .orElse(List.of());
  }

  /** How many more mappings can be made, unsigned; empty if the kernel does not tell. */
  public OptionalInt mappingsLeft() {
    return one(Type1Capability.DmaAvailable.class)
        .map(available -> OptionalInt.of(available.mappings()))
        .orElse(OptionalInt.empty());
  }

  /** How it tracks dirty pages; empty if it cannot. */
  public Optional<Type1Capability.DirtyTracking> dirtyTracking() {
    return one(Type1Capability.DirtyTracking.class);
  }

  private <T extends Type1Capability> Optional<T> one(Class<T> type) {
    return capabilities.stream().filter(type::isInstance).map(type::cast).findFirst();
  }
}
