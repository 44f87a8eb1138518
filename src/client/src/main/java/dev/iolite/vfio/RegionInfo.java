package dev.iolite.vfio;

import dev.iolite.uapi.vfio.Vfio;
import java.util.List;
import java.util.Optional;

/**
 * What VFIO_DEVICE_GET_REGION_INFO says about a region.
 *
 * @param index its index
 * @param flags VFIO_REGION_INFO_FLAG_* bits
 * @param bytes its size in bytes; 0 if the device does not have it
 * @param offset where it starts in the device's file, in bytes
 * @param capabilities the capability chain
 */
public record RegionInfo(
    int index, int flags, long bytes, long offset, List<Capability> capabilities) {
  /** Copies the list. */
  public RegionInfo {
    capabilities = List.copyOf(capabilities);
  }

  /** Its name if it is one of PCI's fixed regions, such as {@code BAR0}. */
  public String name() {
    return PciRegion.nameOf(index);
  }

  /** Whether it can be read. */
  public boolean canRead() {
    return (flags & Vfio.VFIO_REGION_INFO_FLAG_READ()) != 0;
  }

  /** Whether it can be written. */
  public boolean canWrite() {
    return (flags & Vfio.VFIO_REGION_INFO_FLAG_WRITE()) != 0;
  }

  /** Whether it, or at least its {@link #mappableAreas}, can be mapped. */
  public boolean canMap() {
    return (flags & Vfio.VFIO_REGION_INFO_FLAG_MMAP()) != 0;
  }

  /** Whether the part with the MSI-X table can be mapped too. */
  public boolean isMsixMappable() {
    return capabilities.stream().anyMatch(Capability.MsixMappable.class::isInstance);
  }

  /** What a device-specific region is. */
  public Optional<Capability.RegionType> type() {
    return capabilities.stream()
        .filter(Capability.RegionType.class::isInstance)
        .map(Capability.RegionType.class::cast)
        .findFirst();
  }

  /** The parts that can be mapped: the areas that it lists, else all of it, or nothing. */
  public List<ByteRange> mappableAreas() {
    if (!canMap()) {
      return List.of();
    }
    return capabilities.stream()
        .filter(Capability.SparseMmap.class::isInstance)
        .map(sparse -> ((Capability.SparseMmap) sparse).areas())
        .findFirst()
        .orElseGet(() -> List.of(new ByteRange(0, bytes)));
  }
}
