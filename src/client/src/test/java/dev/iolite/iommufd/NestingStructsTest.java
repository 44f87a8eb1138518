package dev.iolite.iommufd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hwpt_amd_guest;
import dev.iolite.uapi.iommufd.iommu_hwpt_arm_smmuv3;
import dev.iolite.uapi.iommufd.iommu_hwpt_vtd_s1;
import dev.iolite.uapi.iommufd.iommu_hwpt_vtd_s1_invalidate;
import dev.iolite.uapi.iommufd.iommu_viommu_arm_smmuv3_invalidate;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/**
 * What a caller says of a guest's page tables is where a driver looks for it. No machine of the
 * tests has these drivers.
 */
class NestingStructsTest {
  @AutoClose private final Arena arena = Arena.ofConfined();

  private MemorySegment filled(Invalidation invalidation) {
    MemorySegment struct = arena.allocate(invalidation.structBytes(), Long.BYTES);
    struct.fill((byte) 0xff);
    invalidation.fill(struct);
    return struct;
  }

  @Test
  void intelsTablesAreDescribed() {
    MemorySegment struct = new PageTableData.VtdStage1(5, 0x12_3000, 57).struct(arena);
    assertThat(iommu_hwpt_vtd_s1.flags(struct)).isEqualTo(5);
    assertThat(iommu_hwpt_vtd_s1.pgtbl_addr(struct)).isEqualTo(0x12_3000);
    assertThat(iommu_hwpt_vtd_s1.addr_width(struct)).isEqualTo(57);
  }

  @Test
  void armsAndAmdsEntriesArePassedOn() {
    MemorySegment arm = new PageTableData.ArmSmmuV3(List.of(1L, 2L)).struct(arena);
    assertThat(iommu_hwpt_arm_smmuv3.ste(arm, 0)).isEqualTo(1);
    assertThat(iommu_hwpt_arm_smmuv3.ste(arm, 1)).isEqualTo(2);
    MemorySegment amd = new PageTableData.AmdGuest(List.of(1L, 2L, 3L, 4L)).struct(arena);
    for (int i = 0; i < 4; i++) {
      assertThat(iommu_hwpt_amd_guest.dte(amd, i)).isEqualTo(i + 1);
    }
    assertThatThrownBy(() -> new PageTableData.AmdGuest(List.of(1L, 2L)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("2 words, not 4");
  }

  @Test
  void intelsEntriesAreInvalidated() {
    MemorySegment all = filled(Invalidation.VtdStage1.ALL);
    assertThat(iommu_hwpt_vtd_s1_invalidate.addr(all)).isZero();
    assertThat(iommu_hwpt_vtd_s1_invalidate.npages(all)).isEqualTo(-1);
    assertThat(iommu_hwpt_vtd_s1_invalidate.flags(all)).isZero();
    MemorySegment some = filled(new Invalidation.VtdStage1(0x4000, 3, true));
    assertThat(iommu_hwpt_vtd_s1_invalidate.addr(some)).isEqualTo(0x4000);
    assertThat(iommu_hwpt_vtd_s1_invalidate.npages(some)).isEqualTo(3);
    assertThat(iommu_hwpt_vtd_s1_invalidate.flags(some))
        .isEqualTo(Iommufd.IOMMU_VTD_INV_FLAGS_LEAF());
  }

  @Test
  void armsCommandsArePassedOn() {
    MemorySegment command = filled(new Invalidation.ArmSmmuV3(0x11, 0x22));
    assertThat(iommu_viommu_arm_smmuv3_invalidate.cmd(command, 0)).isEqualTo(0x11);
    assertThat(iommu_viommu_arm_smmuv3_invalidate.cmd(command, 1)).isEqualTo(0x22);
  }

  @Test
  void anAnswerToAFaultHasTheKernelsNumber() {
    assertThat(PageResponse.SUCCESS.code()).isEqualTo(Iommufd.IOMMUFD_PAGE_RESP_SUCCESS());
    assertThat(PageResponse.INVALID.code()).isEqualTo(Iommufd.IOMMUFD_PAGE_RESP_INVALID());
  }

  @Test
  void messagesNameObjectsByTheFieldsWords() {
    assertThat(new ViommuId(-1)).hasToString("vIOMMU 4294967295");
    assertThat(new VdeviceId(7)).hasToString("vDEVICE 7");
    assertThat(ViommuType.ARM_SMMUV3).hasToString("ARM_SMMUV3");
    assertThat(VeventType.TEGRA241_CMDQV).hasToString("TEGRA241_CMDQV");
  }
}
