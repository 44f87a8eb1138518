package dev.iolite.vfio;

import dev.iolite.uapi.vfio.Vfio;
import java.util.Optional;

/** The regions beyond PCI's own that the headers have names for. */
public enum RegionKind {
  /** The OpRegion of Intel graphics. */
  IGD_OPREGION(Vendor.INTEL, Vfio.VFIO_REGION_SUBTYPE_INTEL_IGD_OPREGION()),
  /** The configuration space of the host bridge, for Intel graphics. */
  IGD_HOST_CFG(Vendor.INTEL, Vfio.VFIO_REGION_SUBTYPE_INTEL_IGD_HOST_CFG()),
  /** The configuration space of the ISA bridge, for Intel graphics. */
  IGD_LPC_CFG(Vendor.INTEL, Vfio.VFIO_REGION_SUBTYPE_INTEL_IGD_LPC_CFG()),
  /** The memory of an NVIDIA GPU that is coherent over NVLink; in no kernel any more. */
  NVLINK2_RAM(Vendor.NVIDIA, Vfio.VFIO_REGION_SUBTYPE_NVIDIA_NVLINK2_RAM()),
  /** Address translation of an IBM NVLink bridge; in no kernel any more. */
  NVLINK2_ATSD(Vendor.IBM, Vfio.VFIO_REGION_SUBTYPE_IBM_NVLINK2_ATSD()),
  /** What a display of a mediated graphics device says of itself. */
  GFX_EDID(Vfio.VFIO_REGION_TYPE_GFX(), Vfio.VFIO_REGION_SUBTYPE_GFX_EDID()),
  /** Asynchronous commands of a channel device (s390). */
  CCW_ASYNC_CMD(Vfio.VFIO_REGION_TYPE_CCW(), Vfio.VFIO_REGION_SUBTYPE_CCW_ASYNC_CMD()),
  /** A subchannel's information block (s390). */
  CCW_SCHIB(Vfio.VFIO_REGION_TYPE_CCW(), Vfio.VFIO_REGION_SUBTYPE_CCW_SCHIB()),
  /** Channel report words (s390). */
  CCW_CRW(Vfio.VFIO_REGION_TYPE_CCW(), Vfio.VFIO_REGION_SUBTYPE_CCW_CRW()),
  /** The first version of migration; in no kernel any more. */
  MIGRATION_V1(
      Vfio.VFIO_REGION_TYPE_MIGRATION_DEPRECATED(),
      Vfio.VFIO_REGION_SUBTYPE_MIGRATION_DEPRECATED());

  /** Types of PCI vendors. */
  private static final class Vendor {
    private static final int INTEL = of(0x8086);
    private static final int NVIDIA = of(0x10de);
    private static final int IBM = of(0x1014);

    private static int of(int id) {
      return Vfio.VFIO_REGION_TYPE_PCI_VENDOR_TYPE() | id;
    }
  }

  private final int type;
  private final int subtype;

  RegionKind(int type, int subtype) {
    this.type = type;
    this.subtype = subtype;
  }

  static Optional<RegionKind> of(int type, int subtype) {
    for (RegionKind kind : values()) {
      if (kind.type == type && kind.subtype == subtype) {
        return Optional.of(kind);
      }
    }
    return Optional.empty();
  }
}
