package dev.iolite.vfio;

import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_info_cap_pci_atomic_comp;
import dev.iolite.uapi.vfio.vfio_region_info_cap_sparse_mmap;
import dev.iolite.uapi.vfio.vfio_region_info_cap_type;
import dev.iolite.uapi.vfio.vfio_region_sparse_mmap_area;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Decodes capabilities. Their numbers mean something different for each ioctl. */
final class Capabilities {
  private static final int KNOWN_VERSION = 1;

  private Capabilities() {}

  /** A capability of VFIO_DEVICE_GET_INFO. */
  static Capability ofDevice(CapabilityChain.Raw raw) {
    if (raw.version() == KNOWN_VERSION && raw.id() == Vfio.VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP()) {
      return new Capability.AtomicCompletion(
          vfio_device_info_cap_pci_atomic_comp.flags(
              raw.atLeast(vfio_device_info_cap_pci_atomic_comp.sizeof())));
    }
    return unknown(raw);
  }

  /** A capability of VFIO_DEVICE_GET_REGION_INFO. */
  static Capability ofRegion(CapabilityChain.Raw raw) {
    if (raw.version() != KNOWN_VERSION) {
      return unknown(raw);
    }
    if (raw.id() == Vfio.VFIO_REGION_INFO_CAP_SPARSE_MMAP()) {
      return sparseMmap(raw);
    }
    if (raw.id() == Vfio.VFIO_REGION_INFO_CAP_TYPE()) {
      MemorySegment type = raw.atLeast(vfio_region_info_cap_type.sizeof());
      return new Capability.RegionType(
          vfio_region_info_cap_type.type(type), vfio_region_info_cap_type.subtype(type));
    }
    if (raw.id() == Vfio.VFIO_REGION_INFO_CAP_MSIX_MAPPABLE()) {
      return new Capability.MsixMappable();
    }
    return unknown(raw);
  }

  private static Capability sparseMmap(CapabilityChain.Raw raw) {
    long head = vfio_region_info_cap_sparse_mmap.areas$offset();
    long count =
        Integer.toUnsignedLong(vfio_region_info_cap_sparse_mmap.nr_areas(raw.atLeast(head)));
    MemorySegment bytes = raw.atLeast(head + count * vfio_region_sparse_mmap_area.sizeof());
    List<ByteRange> areas = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      MemorySegment area = vfio_region_sparse_mmap_area.asSlice(bytes.asSlice(head), i);
      areas.add(
          new ByteRange(
              vfio_region_sparse_mmap_area.offset(area), vfio_region_sparse_mmap_area.size(area)));
    }
    return new Capability.SparseMmap(areas);
  }

  private static Capability unknown(CapabilityChain.Raw raw) {
    return new Capability.Unknown(raw.id(), raw.version(), raw.hex());
  }
}
