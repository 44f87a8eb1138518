package dev.iolite.iommufd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hw_info;
import dev.iolite.uapi.iommufd.iommu_hw_info_amd;
import dev.iolite.uapi.iommufd.iommu_hw_info_arm_smmuv3;
import dev.iolite.uapi.iommufd.iommu_hw_info_tegra241_cmdqv;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Hardware that the lab does not have. What it has, {@link AttachedIoasLabTest} reads. */
class HwInfoTest {
  @AutoClose private final Arena arena = Arena.ofConfined();

  private HwInfo info(int type, long capabilities, int pasidBits, MemorySegment data) {
    MemorySegment info = iommu_hw_info.allocate(arena);
    iommu_hw_info.out_data_type(info, type);
    iommu_hw_info.out_capabilities(info, capabilities);
    iommu_hw_info.out_max_pasid_log2(info, (byte) pasidBits);
    return HwInfo.of(info, data);
  }

  @Test
  void pasidPermissionsMeanNothingWithoutPasids() {
    long all = -1;
    assertThat(info(0, all, 0, arena.allocate(0)).pasidExecute()).isFalse();
    assertThat(info(0, all, 0, arena.allocate(0)).pasidPrivileged()).isFalse();
    HwInfo with = info(0, all, 20, arena.allocate(0));
    assertThat(with.pasidBits()).isEqualTo(20);
    assertThat(with.pasidExecute()).isTrue();
    assertThat(with.pasidPrivileged()).isTrue();
    assertThat(with.dirtyTracking()).isTrue();
    assertThat(with.atsPossible()).isFalse();
    assertThat(info(0, 0, 20, arena.allocate(0)).atsPossible()).isTrue();
  }

  @Test
  void readsArm() {
    MemorySegment data = iommu_hw_info_arm_smmuv3.allocate(arena);
    for (int i = 0; i < 6; i++) {
      iommu_hw_info_arm_smmuv3.idr(data, i, i + 1);
    }
    iommu_hw_info_arm_smmuv3.flags(data, 1);
    iommu_hw_info_arm_smmuv3.iidr(data, 8);
    iommu_hw_info_arm_smmuv3.aidr(data, 9);
    assertThat(info(Iommufd.IOMMU_HW_INFO_TYPE_ARM_SMMUV3(), 0, 0, data).hardware())
        .isEqualTo(new IommuHardware.ArmSmmuV3(1, List.of(1, 2, 3, 4, 5, 6), 8, 9));
  }

  @Test
  void readsTegra() {
    MemorySegment data = iommu_hw_info_tegra241_cmdqv.allocate(arena);
    iommu_hw_info_tegra241_cmdqv.version(data, (byte) 1);
    iommu_hw_info_tegra241_cmdqv.log2vcmdqs(data, (byte) 7);
    iommu_hw_info_tegra241_cmdqv.log2vsids(data, (byte) 4);
    assertThat(info(Iommufd.IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV(), 0, 0, data).hardware())
        .isEqualTo(new IommuHardware.Tegra241Cmdqv(1, 7, 4));
  }

  @Test
  void readsAmd() {
    MemorySegment data = iommu_hw_info_amd.allocate(arena);
    iommu_hw_info_amd.efr(data, 0x25bf732fa2295afeL);
    iommu_hw_info_amd.efr2(data, 0x1d);
    assertThat(info(Iommufd.IOMMU_HW_INFO_TYPE_AMD(), 0, 0, data).hardware())
        .isEqualTo(new IommuHardware.AmdVi(0x25bf732fa2295afeL, 0x1d));
  }

  @Test
  void keepsTheBytesOfATypeItDoesNotKnow() {
    MemorySegment data = arena.allocate(3);
    data.fill((byte) 0xab);
    assertThat(info(77, 0, 0, data).hardware()).isEqualTo(new IommuHardware.Unknown(77, "ababab"));
  }

  @Test
  void readsNothingBehindDataThatAreTooShort() {
    assertThat(info(Iommufd.IOMMU_HW_INFO_TYPE_INTEL_VTD(), 0, 0, arena.allocate(16)).hardware())
        .isInstanceOf(IommuHardware.Unknown.class);
  }

  @Test
  void decodesARegisterOfAServer() {
    // Bits as a scalable-mode VT-d has them: 57 bits, 4 and 5 levels, 2 MiB and 1 GiB pages.
    var vtd =
        new IommuHardware.IntelVtd(
            0,
            56L << 16 | 1L << 10 | 1L << 11 | 3L << 34,
            1L << 2 | 1L << 3 | 1L << 7 | 1L << 26 | 1L << 29 | 19L << 35 | 1L << 40 | 1L << 43
                | 1L << 45 | 1L << 46 | 1L << 47);
    assertThat(vtd.addressBits()).isEqualTo(57);
    assertThat(vtd.levels()).containsExactly(4, 5);
    assertThat(vtd.pages2M()).isTrue();
    assertThat(vtd.pages1G()).isTrue();
    assertThat(vtd.cachingMode()).isFalse();
    assertThat(vtd.scalableMode()).isTrue();
    assertThat(vtd.nesting()).isTrue();
    assertThat(vtd.pasidBits()).isEqualTo(20);
    assertThat(vtd.pageRequests()).isTrue();
    assertThat(vtd.firstStage()).isTrue();
    assertThat(vtd.secondStage()).isTrue();
    assertThat(vtd.dirtyTracking()).isTrue();
    assertThat(vtd.snoopControl()).isTrue();
    assertThat(vtd.interruptRemapping()).isTrue();
    assertThat(vtd.deviceTlb()).isTrue();
    assertThat(new IommuHardware.IntelVtd(0, 0, 19L << 35).pasidBits()).isZero();
  }

  @Test
  void registersWithoutABitHaveNoneOfItsFeatures() {
    var vtd = new IommuHardware.IntelVtd(0, 0, 0);
    assertThat(
            List.of(
                vtd.pages2M(),
                vtd.pages1G(),
                vtd.cachingMode(),
                vtd.scalableMode(),
                vtd.nesting(),
                vtd.pageRequests(),
                vtd.firstStage(),
                vtd.secondStage(),
                vtd.dirtyTracking(),
                vtd.snoopControl(),
                vtd.interruptRemapping(),
                vtd.deviceTlb()))
        .containsOnly(false);
    assertThat(vtd.levels()).isEmpty();
  }
}
