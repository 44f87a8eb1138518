package dev.iolite.iommufd;

import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hwpt_amd_guest;
import dev.iolite.uapi.iommufd.iommu_hwpt_arm_smmuv3;
import dev.iolite.uapi.iommufd.iommu_hwpt_vtd_s1;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * What an IOMMU's driver is told of a page table that the guest makes: an IOMMU_HWPT_DATA_ type and
 * its struct.
 *
 * <p>Its implementations are values: safe for use by several threads.
 */
public sealed interface PageTableData {
  /** The type's number. */
  int type();

  /** The struct. */
  MemorySegment struct(Arena arena);

  /**
   * Intel VT-d, first stage (IOMMU_HWPT_DATA_VTD_S1).
   *
   * @param flags IOMMU_VTD_S1_ bits: SRE, EAFE, WPE
   * @param pageTable where the guest's page table begins, a guest-physical address
   * @param addressWidth the width of an input address: 48 or 57
   */
  record VtdStage1(long flags, long pageTable, int addressWidth) implements PageTableData {
    @Override
    public int type() {
      return Iommufd.IOMMU_HWPT_DATA_VTD_S1();
    }

    @Override
    public MemorySegment struct(Arena arena) {
      MemorySegment struct = iommu_hwpt_vtd_s1.allocate(arena);
      iommu_hwpt_vtd_s1.flags(struct, flags);
      iommu_hwpt_vtd_s1.pgtbl_addr(struct, pageTable);
      iommu_hwpt_vtd_s1.addr_width(struct, addressWidth);
      return struct;
    }
  }

  /**
   * Arm SMMUv3 (IOMMU_HWPT_DATA_ARM_SMMUV3).
   *
   * @param ste the first two words of the guest's stream table entry
   */
  record ArmSmmuV3(List<Long> ste) implements PageTableData {
    /** Copies the list. */
    public ArmSmmuV3 {
      ste = words(ste, 2);
    }

    @Override
    public int type() {
      return Iommufd.IOMMU_HWPT_DATA_ARM_SMMUV3();
    }

    @Override
    public MemorySegment struct(Arena arena) {
      MemorySegment struct = iommu_hwpt_arm_smmuv3.allocate(arena);
      for (int i = 0; i < ste.size(); i++) {
        iommu_hwpt_arm_smmuv3.ste(struct, i, ste.get(i));
      }
      return struct;
    }
  }

  /**
   * AMD (IOMMU_HWPT_DATA_AMD_GUEST).
   *
   * @param dte the four words of the guest's device table entry
   */
  record AmdGuest(List<Long> dte) implements PageTableData {
    /** Copies the list. */
    public AmdGuest {
      dte = words(dte, 4);
    }

    @Override
    public int type() {
      return Iommufd.IOMMU_HWPT_DATA_AMD_GUEST();
    }

    @Override
    public MemorySegment struct(Arena arena) {
      MemorySegment struct = iommu_hwpt_amd_guest.allocate(arena);
      for (int i = 0; i < dte.size(); i++) {
        iommu_hwpt_amd_guest.dte(struct, i, dte.get(i));
      }
      return struct;
    }
  }

  /**
   * Of a driver that the headers do not know.
   *
   * @param type its number
   * @param content its struct
   */
  record Other(int type, MemorySegment content) implements PageTableData {
    @Override
    public MemorySegment struct(Arena arena) {
      return arena.allocate(content.byteSize(), Long.BYTES).copyFrom(content);
    }
  }

  private static List<Long> words(List<Long> words, int count) {
    if (words.size() != count) {
      throw new IllegalArgumentException(words.size() + " words, not " + count);
    }
    return List.copyOf(words);
  }
}
