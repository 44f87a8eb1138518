package dev.iolite.mock.iommufd;

import dev.iolite.mock.core.UserMemory;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hwpt_alloc;
import dev.iolite.uapi.iommufd.iommu_hwpt_vtd_s1;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A guest's four levels of tables in its first five pages, which map one page. */
final class GuestTables {
  /** The only address that is mapped. */
  static final long VIRTUAL = 0x1_2345_6000L;

  private static final long PAGE = 4096;
  private static final int DATA_PAGE = 5;
  private static final long PRESENT_WRITABLE = 3;

  private final UserMemory user;
  private final long ram;
  private final MemorySegment config = iommu_hwpt_vtd_s1.allocate(Arena.ofAuto());

  GuestTables(UserMemory user, long ram) {
    this.user = user;
    this.ram = ram;
    for (int level = 4; level >= 1; level--) {
      long index = (VIRTUAL >>> (12 + 9 * (level - 1))) & 511;
      long next = level == 1 ? DATA_PAGE * PAGE : (5 - level) * PAGE;
      long at = ram + (4 - level) * PAGE + index * Long.BYTES;
      user.write(at, MemorySegment.ofArray(new long[] {next | PRESENT_WRITABLE}));
    }
    iommu_hwpt_vtd_s1.pgtbl_addr(config, 0);
    iommu_hwpt_vtd_s1.addr_width(config, 48);
  }

  /** Puts them into an IOMMU_HWPT_ALLOC. */
  void describe(MemorySegment alloc) {
    iommu_hwpt_alloc.data_type(alloc, Iommufd.IOMMU_HWPT_DATA_VTD_S1());
    iommu_hwpt_alloc.data_len(alloc, (int) config.byteSize());
    iommu_hwpt_alloc.data_uptr(alloc, config.address());
  }

  long dataWord(int index) {
    MemorySegment word = MemorySegment.ofArray(new long[1]);
    user.read(ram + DATA_PAGE * PAGE + (long) index * Long.BYTES, word);
    return word.get(ValueLayout.JAVA_LONG, 0);
  }
}
