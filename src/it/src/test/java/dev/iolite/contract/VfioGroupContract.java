package dev.iolite.contract;

import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_CHECK_EXTENSION;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_ATTACH_IOMMUFD_PT;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_BIND_IOMMUFD;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_DETACH_IOMMUFD_PT;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_GET_INFO;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_PCI_HOT_RESET;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_GET_API_VERSION;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_GROUP_GET_DEVICE_FD;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_GROUP_GET_STATUS;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_GROUP_SET_CONTAINER;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_GROUP_UNSET_CONTAINER;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_IOMMU_GET_INFO;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_SET_IOMMU;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_info;
import dev.iolite.uapi.vfio.vfio_group_status;
import dev.iolite.uapi.vfio.vfio_pci_hot_reset;
import dev.iolite.uapi.vfio.vfio_pci_hot_reset_info;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** Groups and containers: who may have a device, and how it is opened. */
abstract class VfioGroupContract extends VfioContainerContract {
  private static final String TOKEN = "01234567-89ab-cdef-0123-456789abcdef";

  VfioGroupContract(Backend backend) {
    super(backend, Backend.EDU);
  }

  private int info(int device, MemorySegment info) {
    return ioctl(device, VFIO_DEVICE_GET_INFO, info);
  }

  @Test
  void aGroupIsOpenedOnce() {
    // group.c:vfio_group_fops_open
    int group = group();
    fails(Errno.EBUSY, kernel.open(groupPath(), Libc.O_RDWR() | Libc.O_CLOEXEC()));
    close(group);
    group();
  }

  @Test
  void itIsViableUntilItIsInAContainer() {
    // group.c:vfio_group_ioctl_get_status
    int group = group();
    assertThat(status(group)).isEqualTo(VIABLE);
    succeeds(setContainer(group, container()));
    assertThat(status(group)).isEqualTo(VIABLE | CONTAINER_SET);
  }

  @Test
  void statusIsAnsweredToWhoHasRoom() {
    // group.c:vfio_group_ioctl_get_status
    int group = group();
    MemorySegment status = sized(vfio_group_status.layout());
    fails(Errno.EINVAL, ioctl(group, VFIO_GROUP_GET_STATUS, shortened(status, 7)));
    succeeds(ioctl(group, VFIO_GROUP_GET_STATUS, withTail(status, 8, 1)));
    fails(Errno.EFAULT, ioctl(group, VFIO_GROUP_GET_STATUS, NOWHERE));
  }

  @Test
  void aGroupKnowsNoOtherCommand() {
    // group.c:vfio_group_fops_unl_ioctl
    int group = group();
    fails(Errno.ENOTTY, kernel.ioctl(group, 0x3bff, 0));
    fails(Errno.ENOTTY, ioctl(group, VFIO_GET_API_VERSION, 0));
    fails(Errno.ENOTTY, ioctl(group, VFIO_DEVICE_GET_INFO, NOWHERE));
  }

  @Test
  void onlyAContainerOrAnIommufdIsAContainer() {
    // group.c:vfio_group_ioctl_set_container
    int group = group();
    fails(Errno.EFAULT, ioctl(group, VFIO_GROUP_SET_CONTAINER, NOWHERE));
    fails(Errno.EBADF, setContainer(group, NO_FD));
    fails(Errno.EBADFD, setContainer(group, eventfd()));
    fails(Errno.EBADFD, setContainer(group, group));
  }

  @Test
  void aGroupIsInOneContainer() {
    // group.c:vfio_group_ioctl_set_container: after the descriptor, before what it is
    int group = group();
    succeeds(setContainer(group, container()));
    fails(Errno.EINVAL, setContainer(group, container()));
    fails(Errno.EINVAL, setContainer(group, eventfd()));
    fails(Errno.EBADF, setContainer(group, NO_FD));
  }

  @Test
  void itLeavesItsContainerOnce() {
    // group.c:vfio_group_ioctl_unset_container
    int group = group();
    fails(Errno.EINVAL, ioctl(group, VFIO_GROUP_UNSET_CONTAINER, 0));
    succeeds(setContainer(group, container()));
    succeeds(ioctl(group, VFIO_GROUP_UNSET_CONTAINER, 0));
    assertThat(status(group)).isEqualTo(VIABLE);
    fails(Errno.EINVAL, ioctl(group, VFIO_GROUP_UNSET_CONTAINER, 0));
    succeeds(setContainer(group, container()));
  }

  @Test
  void itStaysWhileADeviceIsOpen() {
    // group.c:vfio_group_ioctl_unset_container: container_users
    int group = group();
    containerOf(group, TYPE1_V2);
    int device = device(group);
    fails(Errno.EBUSY, ioctl(group, VFIO_GROUP_UNSET_CONTAINER, 0));
    close(device);
    succeeds(ioctl(group, VFIO_GROUP_UNSET_CONTAINER, 0));
  }

  @Test
  void aDeviceIsOpenedWhenItsContainerHasAnIommu() {
    // group.c:vfio_df_group_open; container.c:vfio_group_use_container
    int group = group();
    fails(Errno.EINVAL, openDevice(group, Backend.EDU));
    int container = container();
    succeeds(setContainer(group, container));
    fails(Errno.EINVAL, openDevice(group, Backend.EDU));
    succeeds(ioctl(container, VFIO_SET_IOMMU, TYPE1_V2));
    int device = device(group);
    succeeds(info(device, sized(vfio_device_info.layout())));
    assertThat(sysfs.readlink("/proc/self/fd/" + device)).isEqualTo("anon_inode:[vfio-device]");
    assertThat(sysfs.read("/proc/self/fdinfo/" + device))
        .containsPattern("vfio-device-syspath:\\s+/sys/devices/pci0000:00/" + Backend.EDU + "$");
  }

  @Test
  void onlyAMemberIsOpened() {
    // group.c:vfio_device_get_from_name, before the IOMMU is looked at
    int group = group();
    fails(Errno.ENODEV, openDevice(group, Backend.NVME));
    fails(Errno.ENODEV, openDevice(group, ""));
    fails(Errno.ENODEV, openDevice(group, Backend.EDU + "1"));
    fails(Errno.ENODEV, openDevice(group, "00:02.0"));
    fails(Errno.EFAULT, ioctl(group, VFIO_GROUP_GET_DEVICE_FD, NOWHERE));
  }

  @Test
  void aNameEndsWithinAPage() {
    // mm/util.c:strndup_user
    int group = group();
    MemorySegment text = zeros(PAGE + 1).fill((byte) ' ');
    text.set(ValueLayout.JAVA_BYTE, PAGE, (byte) 0);
    fails(Errno.EINVAL, ioctl(group, VFIO_GROUP_GET_DEVICE_FD, text));
    text.set(ValueLayout.JAVA_BYTE, PAGE - 1, (byte) 0);
    fails(Errno.ENODEV, ioctl(group, VFIO_GROUP_GET_DEVICE_FD, text));
    long end = endOfMemory();
    fails(Errno.ENODEV, ioctl(group, VFIO_GROUP_GET_DEVICE_FD, end - 1));
    at(end - 1, 1).set(ValueLayout.JAVA_BYTE, 0, (byte) 'x');
    fails(Errno.EFAULT, ioctl(group, VFIO_GROUP_GET_DEVICE_FD, end - 1));
  }

  @Test
  void aNameMayHaveAToken() {
    // vfio_pci_core.c:vfio_pci_core_match, vfio_pci_validate_vf_token
    int group = group();
    containerOf(group, TYPE1_V2);
    succeeds(openDevice(group, Backend.EDU + "  "));
    fails(Errno.EINVAL, openDevice(group, Backend.EDU + " vf_token="));
    fails(Errno.EINVAL, openDevice(group, Backend.EDU + " vf_token=" + TOKEN.replace('-', '0')));
    fails(Errno.EINVAL, openDevice(group, Backend.EDU + " other"));
    // It has no virtual functions, so it takes no token.
    fails(Errno.EINVAL, openDevice(group, Backend.EDU + " vf_token=" + TOKEN));
  }

  @Test
  void aDeviceIsOpenedManyTimes() {
    // vfio_main.c:vfio_df_open
    int group = group();
    containerOf(group, TYPE1_V2);
    int first = device(group);
    int second = device(group);
    setCommand(first, MEMORY);
    assertThat(command(second) & MEMORY).isEqualTo(MEMORY);
    close(first);
    succeeds(info(second, sized(vfio_device_info.layout())));
    fails(Errno.EBUSY, ioctl(group, VFIO_GROUP_UNSET_CONTAINER, 0));
  }

  @Test
  void itIsNotBoundToAnIommufd() {
    // device_cdev.c:vfio_df_ioctl_bind_iommufd; vfio_main.c: ATTACH and DETACH are cdev's
    int group = group();
    containerOf(group, TYPE1_V2);
    int device = device(group);
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, bindOf(iommufd)));
    fails(Errno.EFAULT, ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, NOWHERE));
    fails(Errno.E2BIG, ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, withTail(bindOf(iommufd), 8, 1)));
    fails(Errno.ENOTTY, ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, NOWHERE));
    fails(Errno.ENOTTY, ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, NOWHERE));
  }

  @Test
  void anOpenDeviceKeepsItsGroupOpen() {
    // container.c:vfio_group_use_container: get_file
    int group = group();
    containerOf(group, TYPE1_V2);
    int device = device(group);
    close(group);
    fails(Errno.EBUSY, kernel.open(groupPath(), Libc.O_RDWR() | Libc.O_CLOEXEC()));
    fails(Errno.EBUSY, ioctl(cdev(), VFIO_DEVICE_BIND_IOMMUFD, bindOf(iommufd)));
    succeeds(info(device, sized(vfio_device_info.layout())));
    close(device);
    assertThat(status(group())).isEqualTo(VIABLE);
  }

  @Test
  void aGroupKeepsItsContainer() {
    // container.c:vfio_container_get
    int group = group();
    close(containerOf(group, TYPE1_V2));
    assertThat(status(group)).isEqualTo(VIABLE | CONTAINER_SET);
    succeeds(info(device(group), sized(vfio_device_info.layout())));
  }

  @Test
  void aContainerOffersType1BeforeItHasGroups() {
    // container.c:vfio_container_ioctl_check_extension
    int container = container();
    assertThat(ioctl(container, VFIO_GET_API_VERSION, 0)).isEqualTo(Vfio.VFIO_API_VERSION());
    assertThat(ioctl(container, VFIO_CHECK_EXTENSION, TYPE1)).isEqualTo(1);
    assertThat(ioctl(container, VFIO_CHECK_EXTENSION, TYPE1_V2)).isEqualTo(1);
    assertThat(ioctl(container, VFIO_CHECK_EXTENSION, Vfio.VFIO_UNMAP_ALL())).isEqualTo(1);
    assertThat(ioctl(container, VFIO_CHECK_EXTENSION, Vfio.VFIO_UPDATE_VADDR())).isZero();
    assertThat(ioctl(container, VFIO_CHECK_EXTENSION, Vfio.VFIO_DMA_CC_IOMMU())).isZero();
    assertThat(ioctl(container, VFIO_CHECK_EXTENSION, Vfio.VFIO_NOIOMMU_IOMMU())).isZero();
    assertThat(ioctl(container, VFIO_CHECK_EXTENSION, 2)).isZero();
    assertThat(ioctl(container, VFIO_CHECK_EXTENSION, NOWHERE)).isZero();
  }

  @Test
  void itOffersMoreWithAnIommu() {
    // vfio_iommu_type1.c:vfio_iommu_type1_check_extension; intel/iommu.c: no snooping control
    int container = containerOf(group(), TYPE1_V2);
    assertThat(ioctl(container, VFIO_CHECK_EXTENSION, TYPE1)).isEqualTo(1);
    assertThat(ioctl(container, VFIO_CHECK_EXTENSION, Vfio.VFIO_UPDATE_VADDR())).isEqualTo(1);
    assertThat(ioctl(container, VFIO_CHECK_EXTENSION, Vfio.VFIO_DMA_CC_IOMMU())).isZero();
  }

  @Test
  void itHasNoIommuWithoutAGroup() {
    // container.c:vfio_ioctl_set_iommu
    fails(Errno.EINVAL, ioctl(container(), VFIO_SET_IOMMU, TYPE1_V2));
    fails(Errno.EINVAL, ioctl(container(), VFIO_SET_IOMMU, NOWHERE));
  }

  @Test
  void itHasOneIommuOfAKnownType() {
    // container.c:vfio_ioctl_set_iommu; vfio_iommu_type1.c:vfio_iommu_type1_open
    int container = container();
    succeeds(setContainer(group(), container));
    fails(Errno.ENODEV, ioctl(container, VFIO_SET_IOMMU, 2));
    fails(Errno.ENODEV, ioctl(container, VFIO_SET_IOMMU, Vfio.VFIO_NOIOMMU_IOMMU()));
    fails(Errno.EINVAL, ioctl(container, VFIO_SET_IOMMU, Vfio.VFIO_UNMAP_ALL()));
    fails(Errno.ENODEV, ioctl(container, VFIO_SET_IOMMU, Vfio.VFIO_UPDATE_VADDR()));
    succeeds(ioctl(container, VFIO_SET_IOMMU, TYPE1_V2));
    fails(Errno.EINVAL, ioctl(container, VFIO_SET_IOMMU, TYPE1_V2));
  }

  @Test
  void aContainerWithoutAnIommuTakesNothing() {
    // container.c:vfio_fops_unl_ioctl; vfio_iommu_type1.c:vfio_iommu_type1_ioctl
    int group = group();
    int container = container();
    fails(Errno.EINVAL, ioctl(container, VFIO_IOMMU_GET_INFO, NOWHERE));
    fails(Errno.EINVAL, kernel.ioctl(container, 0x3bff, 0));
    succeeds(setContainer(group, container));
    fails(Errno.EINVAL, ioctl(container, VFIO_IOMMU_GET_INFO, NOWHERE));
    succeeds(ioctl(container, VFIO_SET_IOMMU, TYPE1_V2));
    fails(Errno.EFAULT, ioctl(container, VFIO_IOMMU_GET_INFO, NOWHERE));
    fails(Errno.ENOTTY, kernel.ioctl(container, 0x3bff, 0));
  }

  @Test
  void itLosesItsIommuWithItsLastGroup() {
    // container.c:vfio_group_detach_container
    int group = group();
    int container = containerOf(group, TYPE1_V2);
    succeeds(dmaMap(container, MAP_BOTH, 0, ram(PAGE), PAGE));
    succeeds(ioctl(group, VFIO_GROUP_UNSET_CONTAINER, 0));
    fails(Errno.EINVAL, ioctl(container, VFIO_IOMMU_GET_INFO, NOWHERE));
    succeeds(setContainer(group, container));
    succeeds(ioctl(container, VFIO_SET_IOMMU, TYPE1));
    assertThat(dmaUnmapped(container, 0, 0, PAGE)).isZero();
  }

  @Test
  void closingTheGroupTakesItOutOfItsContainer() {
    // group.c:vfio_group_fops_release
    int group = group();
    int container = containerOf(group, TYPE1_V2);
    close(group);
    fails(Errno.EINVAL, ioctl(container, VFIO_IOMMU_GET_INFO, NOWHERE));
  }

  @Test
  void aGroupWithoutDevicesIsNone() {
    // group.c:vfio_device_remove_group
    int group = group();
    int container = containerOf(group, TYPE1_V2);
    String path = groupPath();
    sysfs.write(file("driver/unbind"), Backend.EDU);
    try {
      assertThat(sysfs.exists(path)).isFalse();
      fails(Errno.EINVAL, ioctl(container, VFIO_IOMMU_GET_INFO, NOWHERE));
      MemorySegment status = sized(vfio_group_status.layout());
      fails(Errno.ENODEV, ioctl(group, VFIO_GROUP_GET_STATUS, status));
      fails(Errno.ENODEV, setContainer(group, container));
      fails(Errno.ENODEV, openDevice(group, Backend.EDU));
      fails(Errno.EINVAL, ioctl(group, VFIO_GROUP_UNSET_CONTAINER, 0));
    } finally {
      sysfs.write("/sys/bus/pci/drivers_probe", Backend.EDU);
    }
    // The file that is still open is the old group's.
    assertThat(status(group())).isEqualTo(VIABLE);
  }

  @Test
  void anUnboundFileOfTheDeviceDoesNotMatter() {
    // group.c:vfio_group_fops_open: only bound ones count
    cdev();
    int group = group();
    containerOf(group, TYPE1_V2);
    device(group);
  }

  @Test
  void aHotResetNamesGroups() {
    // vfio_pci_core.c:vfio_pci_ioctl_pci_hot_reset: nothing but a bus behind a bridge is reset
    int group = group();
    containerOf(group, TYPE1_V2);
    int device = device(group);
    MemorySegment reset = sized(vfio_pci_hot_reset.sizeof() + 4);
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_PCI_HOT_RESET, reset));
    vfio_pci_hot_reset.count(reset, 1);
    fails(Errno.ENODEV, ioctl(device, VFIO_DEVICE_PCI_HOT_RESET, reset));
    MemorySegment info = sized(vfio_pci_hot_reset_info.layout());
    fails(Errno.ENODEV, ioctl(device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, info));
  }
}
