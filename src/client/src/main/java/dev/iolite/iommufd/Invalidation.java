package dev.iolite.iommufd;

import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hwpt_vtd_s1_invalidate;
import dev.iolite.uapi.iommufd.iommu_viommu_arm_smmuv3_invalidate;
import java.lang.foreign.MemorySegment;

/**
 * What a guest has changed in its page tables and caches must forget. Requests of one kind are made
 * in one call.
 *
 * <p>Its implementations are values: safe for use by several threads.
 */
public sealed interface Invalidation {
  /**
   * The type's number, an IOMMU_HWPT_INVALIDATE_DATA_ or IOMMU_VIOMMU_INVALIDATE_DATA_ constant.
   */
  int type();

  /** The size of its struct. */
  long structBytes();

  /** Fills its struct, which is zeroed. */
  void fill(MemorySegment struct);

  /**
   * Addresses of a nested page table of VT-d.
   *
   * @param address the first, a multiple of 4 KiB
   * @param pages how many pages of 4 KiB, unsigned
   * @param leafOnly whether only the last level's entries changed
   */
  record VtdStage1(long address, long pages, boolean leafOnly) implements Invalidation {
    /** Everything. */
    public static final VtdStage1 ALL = new VtdStage1(0, -1, false);

    @Override
    public int type() {
      return Iommufd.IOMMU_HWPT_INVALIDATE_DATA_VTD_S1();
    }

    @Override
    public long structBytes() {
      return iommu_hwpt_vtd_s1_invalidate.sizeof();
    }

    @Override
    public void fill(MemorySegment struct) {
      iommu_hwpt_vtd_s1_invalidate.addr(struct, address);
      iommu_hwpt_vtd_s1_invalidate.npages(struct, pages);
      iommu_hwpt_vtd_s1_invalidate.flags(struct, leafOnly ? Iommufd.IOMMU_VTD_INV_FLAGS_LEAF() : 0);
    }
  }

  /**
   * A command of a vIOMMU's SMMUv3 queue.
   *
   * @param low its first word
   * @param high its second word
   */
  record ArmSmmuV3(long low, long high) implements Invalidation {
    @Override
    public int type() {
      return Iommufd.IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3();
    }

    @Override
    public long structBytes() {
      return iommu_viommu_arm_smmuv3_invalidate.sizeof();
    }

    @Override
    public void fill(MemorySegment struct) {
      iommu_viommu_arm_smmuv3_invalidate.cmd(struct, 0, low);
      iommu_viommu_arm_smmuv3_invalidate.cmd(struct, 1, high);
    }
  }

  /**
   * Of a driver that the headers do not know.
   *
   * @param type its number
   * @param content its struct
   */
  record Other(int type, MemorySegment content) implements Invalidation {
    @Override
    public long structBytes() {
      return content.byteSize();
    }

    @Override
    public void fill(MemorySegment struct) {
      struct.copyFrom(content);
    }
  }
}
