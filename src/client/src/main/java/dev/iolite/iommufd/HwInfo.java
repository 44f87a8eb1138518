package dev.iolite.iommufd;

import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hw_info;
import dev.iolite.uapi.iommufd.iommu_hw_info_amd;
import dev.iolite.uapi.iommufd.iommu_hw_info_arm_smmuv3;
import dev.iolite.uapi.iommufd.iommu_hw_info_tegra241_cmdqv;
import dev.iolite.uapi.iommufd.iommu_hw_info_vtd;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.stream.IntStream;

/**
 * What the IOMMU in front of a device can do for it.
 *
 * @param hardware what the driver reports about the hardware
 * @param capabilities IOMMU_HW_CAP_* bits; those without a method here belong to later kernels
 * @param pasidBits the width of the device's PASIDs in bits; 0 if it has none or they are off
 */
public record HwInfo(IommuHardware hardware, long capabilities, int pasidBits) {
  private static final int SMMU_IDRS = 6;

  /** Whether page tables can record which pages the device wrote. */
  public boolean dirtyTracking() {
    return has(Iommufd.IOMMU_HW_CAP_DIRTY_TRACKING());
  }

  /** Whether the device may ask for execute permission with a PASID. */
  public boolean pasidExecute() {
    return pasidBits > 0 && has(Iommufd.IOMMU_HW_CAP_PCI_PASID_EXEC());
  }

  /** Whether the device may ask for privileged access with a PASID. */
  public boolean pasidPrivileged() {
    return pasidBits > 0 && has(Iommufd.IOMMU_HW_CAP_PCI_PASID_PRIV());
  }

  /** Whether the device may be allowed to cache translations (ATS). */
  public boolean atsPossible() {
    return !has(Iommufd.IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED());
  }

  private boolean has(int capability) {
    return (capabilities & capability) != 0;
  }

  /** Reads what IOMMU_GET_HW_INFO filled in. */
  static HwInfo of(MemorySegment info, MemorySegment data) {
    return new HwInfo(
        hardware(iommu_hw_info.out_data_type(info), data),
        iommu_hw_info.out_capabilities(info),
        Byte.toUnsignedInt(iommu_hw_info.out_max_pasid_log2(info)));
  }

  private static IommuHardware hardware(int type, MemorySegment data) {
    if (type == Iommufd.IOMMU_HW_INFO_TYPE_NONE()) {
      return new IommuHardware.None();
    }
    if (type == Iommufd.IOMMU_HW_INFO_TYPE_INTEL_VTD() && holds(data, iommu_hw_info_vtd.layout())) {
      return new IommuHardware.IntelVtd(
          iommu_hw_info_vtd.flags(data),
          iommu_hw_info_vtd.cap_reg(data),
          iommu_hw_info_vtd.ecap_reg(data));
    }
    if (type == Iommufd.IOMMU_HW_INFO_TYPE_ARM_SMMUV3()
        && holds(data, iommu_hw_info_arm_smmuv3.layout())) {
      return new IommuHardware.ArmSmmuV3(
          iommu_hw_info_arm_smmuv3.flags(data),
          IntStream.range(0, SMMU_IDRS)
              .mapToObj(i -> iommu_hw_info_arm_smmuv3.idr(data, i))
              .toList(),
          iommu_hw_info_arm_smmuv3.iidr(data),
          iommu_hw_info_arm_smmuv3.aidr(data));
    }
    if (type == Iommufd.IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV()
        && holds(data, iommu_hw_info_tegra241_cmdqv.layout())) {
      return new IommuHardware.Tegra241Cmdqv(
          iommu_hw_info_tegra241_cmdqv.version(data),
          iommu_hw_info_tegra241_cmdqv.log2vcmdqs(data),
          iommu_hw_info_tegra241_cmdqv.log2vsids(data));
    }
    if (type == Iommufd.IOMMU_HW_INFO_TYPE_AMD() && holds(data, iommu_hw_info_amd.layout())) {
      return new IommuHardware.AmdVi(iommu_hw_info_amd.efr(data), iommu_hw_info_amd.efr2(data));
    }
    return new IommuHardware.Unknown(
        type, HexFormat.of().formatHex(data.toArray(ValueLayout.JAVA_BYTE)));
  }

  private static boolean holds(MemorySegment data, MemoryLayout layout) {
    return data.byteSize() >= layout.byteSize();
  }
}
