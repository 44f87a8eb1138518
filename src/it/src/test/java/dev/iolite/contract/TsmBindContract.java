package dev.iolite.contract;

import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_VIOMMU_ALLOC;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_op;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** What the lab's kernels seed-2025 and v6 say alike of the bind of an interface. */
abstract class TsmBindContract extends SeedContract {
  TsmBindContract(Backend backend) {
    super(backend);
  }

  TsmBindContract(Backend backend, String address, int opCall, int requestCall) {
    super(backend, address, opCall, requestCall);
  }

  @Test
  void theTsmsViommuNeedsNoNestParentButTheTsm() {
    // iommufd/tsm.c:iommufd_tsm_viommu_ops; viommu.c:iommufd_viommu_alloc_ioctl
    refusesNestParents();
    int tdx = Tsm.IOMMU_VIOMMU_TYPE_TDX();
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_VIOMMU_ALLOC, viommuOf(tdx, 8)));
    int other = Iommufd.IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV();
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_VIOMMU_ALLOC, viommuOf(other, 0)));
    disconnect();
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_VIOMMU_ALLOC, viommuOf(tdx, 0)));
  }

  @Test
  void anOperationIsChecked() {
    // iommufd/tsm.c:iommufd_vdevice_tsm_op_ioctl: flags, then the vDEVICE, then the type
    MemorySegment op = sized(iommu_vdevice_tsm_op.layout());
    iommu_vdevice_tsm_op.flags(op, 1);
    iommu_vdevice_tsm_op.vdevice_id(op, NO_OBJECT);
    fails(Errno.EOPNOTSUPP, op(op));
    iommu_vdevice_tsm_op.flags(op, 0);
    fails(Errno.ENOENT, op(op));
    fails(Errno.EINVAL, op(0));
    fails(Errno.EINVAL, op(3));
  }

  @Test
  void aBindIsDoneOnceAndUndoneOnce() {
    // tsm.c:pci_tsm_bind, pci_tsm_unbind
    assertThat(bound()).isEmpty();
    succeeds(op(BIND));
    assertThat(bound()).isEqualTo("tsm0");
    succeeds(op(BIND));
    succeeds(op(UNBIND));
    assertThat(bound()).isEmpty();
    succeeds(op(UNBIND));
  }
}
