package dev.iolite.mock.iommufd;

import static dev.iolite.mock.iommufd.Machine.hwptOf;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.Iommufd;
import org.junit.jupiter.api.Test;

/** Page tables of AMD-Vi (drivers/iommu/amd/iommu.c:amd_iommu_domain_alloc_paging_flags). */
class AmdIommuTest {
  private static final int NEST_PARENT = Iommufd.IOMMU_HWPT_ALLOC_NEST_PARENT();
  private static final int DIRTY_TRACKING = Iommufd.IOMMU_HWPT_ALLOC_DIRTY_TRACKING();
  private static final int PASID = Iommufd.IOMMU_HWPT_ALLOC_PASID();

  private static final long GUEST_TRANSLATION = 1L << 4;
  private static final long GUEST_IO = 1L << 48;
  private static final long GUEST_TABLE_BY_GUEST_ADDRESS = 1L << 3;

  private static void makes(AmdIommu iommu, int flags) {
    Machine machine = new Machine(iommu);
    machine.hwpt(flags, machine.bind(PretendDevice.alone()).id(), machine.ioas());
  }

  private static void refuses(AmdIommu iommu, int flags) {
    Machine machine = new Machine(iommu);
    int device = machine.bind(PretendDevice.alone()).id();
    machine.fails(
        Errno.EOPNOTSUPP, IommufdIoctls.IOMMU_HWPT_ALLOC, hwptOf(flags, device, machine.ioas()));
  }

  @Test
  void aHostWithSevSnpTracksDirtyPagesAndHasNestParentsButNoPasids() {
    makes(new AmdIommu(), 0);
    makes(new AmdIommu(), DIRTY_TRACKING);
    makes(new AmdIommu(), NEST_PARENT);
    makes(new AmdIommu(), DIRTY_TRACKING | NEST_PARENT);
    refuses(new AmdIommu(), PASID);
  }

  /** amd_iommu_hd_support. */
  @Test
  void anOlderOneTracksNoDirtyPages() {
    makes(new AmdIommu(0, 0), 0);
    refuses(new AmdIommu(0, 0), DIRTY_TRACKING);
  }

  /** is_nest_parent_supported. */
  @Test
  void aNestParentNeedsAllThatANestedTableWouldNeed() {
    long efr = GUEST_TRANSLATION | GUEST_IO;
    makes(new AmdIommu(efr, GUEST_TABLE_BY_GUEST_ADDRESS), NEST_PARENT);
    refuses(new AmdIommu(GUEST_IO, GUEST_TABLE_BY_GUEST_ADDRESS), NEST_PARENT);
    refuses(new AmdIommu(GUEST_TRANSLATION, GUEST_TABLE_BY_GUEST_ADDRESS), NEST_PARENT);
    refuses(new AmdIommu(efr, 0), NEST_PARENT);
  }
}
