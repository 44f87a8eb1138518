package dev.iolite.vfio;

import java.util.List;
import java.util.Optional;

/**
 * An entry of the capability chain that follows a VFIO info struct.
 *
 * <p>Its implementations are values: safe for use by several threads.
 */
public sealed interface Capability {

  /**
   * VFIO_REGION_INFO_CAP_SPARSE_MMAP: only parts of the region can be mapped.
   *
   * @param areas those parts
   */
  record SparseMmap(List<ByteRange> areas) implements Capability {
    /** Copies the list. */
    public SparseMmap {
      areas = List.copyOf(areas);
    }
  }

  /**
   * VFIO_REGION_INFO_CAP_TYPE: a region specific to this device or class of devices.
   *
   * @param type VFIO_REGION_TYPE_*, or the PCI vendor id with bit 31 set
   * @param subtype the subtype, whose meaning depends on the type
   */
  record RegionType(int type, int subtype) implements Capability {
    /** What the region is; empty if the headers have no name for it. */
    public Optional<RegionKind> kind() {
      return RegionKind.of(type, subtype);
    }
  }

  /** VFIO_REGION_INFO_CAP_MSIX_MAPPABLE: the pages of the MSI-X table can be mapped too. */
  record MsixMappable() implements Capability {}

  /**
   * VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP: the root port completes AtomicOps of the device.
   *
   * @param flags VFIO_PCI_ATOMIC_COMP* bits
   */
  record AtomicCompletion(int flags) implements Capability {}

  /**
   * A capability that is not known here, or one in a version that is not known.
   *
   * @param id its number, unsigned 16 bits, whose meaning depends on the ioctl
   * @param version its version, unsigned 16 bits
   * @param hex its bytes after the header, up to the next capability or the end, in hexadecimal
   */
  record Unknown(int id, int version, String hex) implements Capability {}
}
