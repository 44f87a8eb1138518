package dev.iolite.contract;

import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_VFIO_IOAS;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_CHECK_EXTENSION_ON_IOMMUFD;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_GET_INFO;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_GROUP_UNSET_CONTAINER;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_IOMMU_DIRTY_PAGES;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_SET_IOMMU_ON_IOMMUFD;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_vfio_ioas;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_info;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** A group whose container is an iommufd. */
abstract class VfioGroupIommufdContract extends VfioContainerContract {
  VfioGroupIommufdContract(Backend backend) {
    super(backend, Backend.EDU);
  }

  private MemorySegment vfioIoasOf(int operation) {
    MemorySegment call = sized(iommu_vfio_ioas.layout());
    iommu_vfio_ioas.op(call, (short) operation);
    return call;
  }

  /** The id of the IOAS that VFIO's old calls use. */
  private int vfioIoas() {
    MemorySegment get = vfioIoasOf(Iommufd.IOMMU_VFIO_IOAS_GET());
    succeeds(ioctl(iommufd, IOMMU_VFIO_IOAS, get));
    return iommu_vfio_ioas.ioas_id(get);
  }

  @Test
  void theGroupMakesAnIoas() {
    // vfio_compat.c:iommufd_vfio_compat_ioas_create
    fails(Errno.ENODEV, ioctl(iommufd, VFIO_SET_IOMMU_ON_IOMMUFD, TYPE1_V2));
    int group = group();
    succeeds(setContainer(group, iommufd));
    assertThat(vfioIoas()).isEqualTo(1);
    assertThat(status(group)).isEqualTo(VIABLE | CONTAINER_SET);
    fails(Errno.EINVAL, setContainer(group, iommufd));
    succeeds(ioctl(iommufd, VFIO_SET_IOMMU_ON_IOMMUFD, TYPE1_V2));
  }

  @Test
  void orItTakesTheOneThatThereIs() {
    // vfio_compat.c:iommufd_vfio_compat_ioas_create
    ioas();
    int second = ioas();
    MemorySegment set = vfioIoasOf(Iommufd.IOMMU_VFIO_IOAS_SET());
    iommu_vfio_ioas.ioas_id(set, second);
    succeeds(ioctl(iommufd, IOMMU_VFIO_IOAS, set));
    succeeds(setContainer(group(), iommufd));
    assertThat(vfioIoas()).isEqualTo(second);
    assertThat(ioas()).isEqualTo(3);
  }

  @Test
  void aDeviceIsBoundAndAttachedWhenItIsOpened() {
    // group.c:vfio_df_group_open; iommufd.c:vfio_iommufd_compat_attach_ioas
    int group = group();
    succeeds(setContainer(group, iommufd));
    int ioas = vfioIoas();
    int device = device(group);
    succeeds(ioctl(device, VFIO_DEVICE_GET_INFO, sized(vfio_device_info.layout())));
    fails(Errno.EBUSY, destroy(ioas));
    // The device has the second id, and its page table the third.
    fails(Errno.EBUSY, destroy(2));
    assertThat(ioas()).isEqualTo(4);
    close(device);
    succeeds(destroy(ioas));
  }

  @Test
  void withoutTheIoasItIsNot() {
    // iommufd.c:vfio_iommufd_compat_attach_ioas: the bind is undone
    int group = group();
    succeeds(setContainer(group, iommufd));
    succeeds(ioctl(iommufd, IOMMU_VFIO_IOAS, vfioIoasOf(Iommufd.IOMMU_VFIO_IOAS_CLEAR())));
    fails(Errno.ENODEV, openDevice(group, Backend.EDU));
    assertThat(ioas()).isEqualTo(2);
  }

  @Test
  void itIsOpenedTwiceAndBoundOnce() {
    // vfio_main.c:vfio_df_open
    int group = group();
    succeeds(setContainer(group, iommufd));
    device(group);
    close(device(group));
    fails(Errno.EBUSY, destroy(2));
    fails(Errno.ENOENT, destroy(4));
  }

  @Test
  void theGroupMayLeaveWhileTheDeviceIsOpen() {
    // group.c:vfio_group_ioctl_unset_container: only a container counts its users
    int group = group();
    succeeds(setContainer(group, iommufd));
    int device = device(group);
    succeeds(ioctl(group, VFIO_GROUP_UNSET_CONTAINER, 0));
    fails(Errno.EINVAL, openDevice(group, Backend.EDU));
    succeeds(ioctl(device, VFIO_DEVICE_GET_INFO, sized(vfio_device_info.layout())));
    // The device has the group's DMA.
    assertThat(status(group)).isZero();
    fails(Errno.EPERM, setContainer(group, container()));
  }

  @Test
  void theDeviceDoesNotKeepTheGroupOpen() {
    // container.c:vfio_group_use_container is for containers only
    int group = group();
    succeeds(setContainer(group, iommufd));
    int device = device(group);
    close(group);
    assertThat(status(group())).isZero();
    close(device);
  }

  @Test
  void anIommufdAnswersAsAContainer() {
    // vfio_compat.c:iommufd_vfio_check_extension, iommufd_vfio_ioctl
    succeeds(setContainer(group(), iommufd));
    assertThat(extension(TYPE1_V2)).isEqualTo(1);
    assertThat(extension(Vfio.VFIO_UNMAP_ALL())).isEqualTo(1);
    assertThat(extension(Vfio.VFIO_UPDATE_VADDR())).isZero();
    // No page table lacks it, for there is none.
    assertThat(extension(Vfio.VFIO_DMA_CC_IOMMU())).isEqualTo(1);
    fails(Errno.ENOTTY, ioctl(iommufd, VFIO_IOMMU_DIRTY_PAGES, NOWHERE));
    fails(Errno.EINVAL, ioctl(iommufd, VFIO_SET_IOMMU_ON_IOMMUFD, Vfio.VFIO_NOIOMMU_IOMMU()));
    long ram = ram(2 * PAGE);
    succeeds(dmaMap(iommufd, MAP_BOTH, 0, ram, 2 * PAGE));
    fails(Errno.EEXIST, dmaMap(iommufd, MAP_BOTH, PAGE, ram, PAGE));
    fails(Errno.EINVAL, dmaMap(iommufd, Vfio.VFIO_DMA_MAP_FLAG_VADDR(), 0, ram, 2 * PAGE));
    fails(Errno.ENOENT, dmaUnmap(iommufd, 0, 0, PAGE));
    assertThat(dmaUnmapped(iommufd, UNMAP_EVERYTHING, 0, 0)).isEqualTo(2 * PAGE);
  }

  private int extension(int extension) {
    return ioctl(iommufd, VFIO_CHECK_EXTENSION_ON_IOMMUFD, extension);
  }
}
