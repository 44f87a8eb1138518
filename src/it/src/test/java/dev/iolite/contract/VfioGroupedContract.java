package dev.iolite.contract;

import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_BIND_IOMMUFD;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import org.junit.jupiter.api.Test;

/** A device that shares its IOMMU group with one that a driver of the host has. */
abstract class VfioGroupedContract extends VfioContainerContract {
  VfioGroupedContract(Backend backend) {
    super(backend, Backend.GROUPED_EDU);
  }

  @Test
  void itIsNotBound() {
    // iommu.c:iommu_device_claim_dma_owner: the other driver owns the group's DMA
    fails(Errno.EPERM, ioctl(cdev(), VFIO_DEVICE_BIND_IOMMUFD, bindOf(iommufd)));
  }

  @Test
  void anIommufdThatIsNoneIsFoundFirst() {
    // device_cdev.c:vfio_df_ioctl_bind_iommufd
    fails(Errno.EBADFD, ioctl(cdev(), VFIO_DEVICE_BIND_IOMMUFD, bindOf(eventfd())));
  }

  @Test
  void theFailedBindLeavesNoObject() {
    // vfio/iommufd.c:vfio_df_iommufd_bind
    fails(Errno.EPERM, ioctl(cdev(), VFIO_DEVICE_BIND_IOMMUFD, bindOf(iommufd)));
    assertThat(ioas()).isEqualTo(1);
  }

  @Test
  void theGroupIsNotViable() {
    // group.c:vfio_group_ioctl_get_status; iommu.c:iommu_group_claim_dma_owner
    int group = group();
    assertThat(status(group)).isZero();
    fails(Errno.EPERM, setContainer(group, container()));
    assertThat(status(group)).isZero();
  }

  @Test
  void anIommufdDoesNotFindOutBeforeTheDeviceIsOpened() {
    // group.c:vfio_group_ioctl_get_status says so
    int group = group();
    succeeds(setContainer(group, iommufd));
    assertThat(status(group)).isEqualTo(VIABLE | CONTAINER_SET);
    fails(Errno.EPERM, openDevice(group, Backend.GROUPED_EDU));
    // The IOAS for the group has the first id; the bind left none.
    assertThat(ioas()).isEqualTo(2);
  }

  @Test
  void theGroupTellsItsMembers() {
    // iommu.c:iommu_group_add_device
    assertThat(groupMembers()).hasSize(3).contains(Backend.GROUPED_EDU);
  }
}
