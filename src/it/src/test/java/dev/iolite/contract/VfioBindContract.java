package dev.iolite.contract;

import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_ATTACH_IOMMUFD_PT;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_BIND_IOMMUFD;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_DETACH_IOMMUFD_PT;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_FEATURE;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_GET_INFO;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_RESET;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_attach_iommufd_pt;
import dev.iolite.uapi.vfio.vfio_device_bind_iommufd;
import dev.iolite.uapi.vfio.vfio_device_detach_iommufd_pt;
import dev.iolite.uapi.vfio.vfio_device_info;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** A VFIO device before and after it is bound to an iommufd, and what it is attached to. */
abstract class VfioBindContract extends VfioContract {
  VfioBindContract(Backend backend) {
    super(backend, Backend.EDU);
  }

  @Test
  void everyCommandButBindIsInvalidBeforeTheBind() {
    // vfio_main.c:vfio_device_fops_unl_ioctl: even for a bad pointer, even for no command
    int device = cdev();
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_GET_INFO, NOWHERE));
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_FEATURE, NOWHERE));
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, NOWHERE));
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_RESET, 0));
    fails(Errno.EINVAL, kernel.ioctl(device, 0x3bff, 0));
  }

  @Test
  void anUnboundDeviceIsNeitherReadNorWrittenNorMapped() {
    // vfio_main.c:vfio_device_fops_read, _write, _mmap
    int device = cdev();
    fails(Errno.EINVAL, kernel.pread(device, zeros(4).address(), 4, offset(CONFIG)));
    fails(Errno.EINVAL, kernel.pwrite(device, zeros(4).address(), 4, offset(CONFIG)));
    fails(Errno.EINVAL, mmap(device, PAGE, Libc.PROT_READ(), Libc.MAP_SHARED(), 0));
  }

  @Test
  void bindGivesTheDeviceAnId() {
    // device_cdev.c:vfio_df_ioctl_bind_iommufd
    assertThat(bind(cdev())).isEqualTo(1);
  }

  @Test
  void theDescriptorTellsItsFunction() {
    // vfio_main.c:vfio_device_show_fdinfo
    int device = cdev();
    assertThat(sysfs.read("/proc/self/fdinfo/" + device))
        .containsPattern("vfio-device-syspath:\\s+/sys/devices/pci0000:00/" + Backend.EDU + "$");
  }

  @Test
  void theFunctionIsEnabledWhileItIsBound() {
    // vfio_pci_core.c:vfio_pci_core_enable; pci-sysfs.c:enable_show
    String enabled = "/sys/bus/pci/devices/" + Backend.EDU + "/enable";
    int device = cdev();
    assertThat(sysfs.read(enabled)).isEqualTo("0");
    bind(device);
    assertThat(sysfs.read(enabled)).isEqualTo("1");
    close(device);
    assertThat(sysfs.read(enabled)).isEqualTo("0");
  }

  @Test
  void theDeviceTakesTheNextFreeId() {
    // device.c:iommufd_device_bind
    ioas();
    assertThat(bind(cdev())).isEqualTo(2);
  }

  @Test
  void bindWithATooSmallSizeIsInvalid() {
    // device_cdev.c:vfio_df_ioctl_bind_iommufd: 16 bytes at least
    int device = cdev();
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, shortened(bindOf(iommufd), 15)));
    succeeds(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, shortened(bindOf(iommufd), 16)));
  }

  @Test
  void bindWithUnknownBytesIsTooBigBeforeTheDescriptorIsLookedAt() {
    // lib/usercopy.c:copy_struct_from_user
    int device = cdev();
    fails(Errno.E2BIG, ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, withTail(bindOf(NO_FD), 8, 1)));
    succeeds(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, withTail(bindOf(iommufd), 8, 0)));
  }

  @Test
  void bindWithABadPointerIsAFault() {
    // device_cdev.c:vfio_df_ioctl_bind_iommufd: get_user
    fails(Errno.EFAULT, ioctl(cdev(), VFIO_DEVICE_BIND_IOMMUFD, NOWHERE));
  }

  @Test
  void bindToANegativeDescriptorIsInvalid() {
    // device_cdev.c:vfio_df_ioctl_bind_iommufd
    fails(Errno.EINVAL, ioctl(cdev(), VFIO_DEVICE_BIND_IOMMUFD, bindOf(NO_FD)));
  }

  @Test
  void bindWithUnknownFlagsIsInvalid() {
    // device_cdev.c:vfio_df_ioctl_bind_iommufd
    MemorySegment bind = bindOf(iommufd);
    vfio_device_bind_iommufd.flags(bind, 2);
    fails(Errno.EINVAL, ioctl(cdev(), VFIO_DEVICE_BIND_IOMMUFD, bind));
  }

  @Test
  void aTokenThatCanNotBeReadIsAFault() {
    // device_cdev.c:vfio_df_check_token: vfio-pci has match_token_uuid
    MemorySegment bind = bindOf(iommufd);
    vfio_device_bind_iommufd.flags(bind, Vfio.VFIO_DEVICE_BIND_FLAG_TOKEN());
    vfio_device_bind_iommufd.token_uuid_ptr(bind, NOWHERE);
    fails(Errno.EFAULT, ioctl(cdev(), VFIO_DEVICE_BIND_IOMMUFD, bind));
  }

  @Test
  void aDeviceThatIsNoFunctionOfAnotherTakesNoToken() {
    // vfio_pci_core.c:vfio_pci_validate_vf_token
    MemorySegment bind = bindOf(iommufd);
    vfio_device_bind_iommufd.flags(bind, Vfio.VFIO_DEVICE_BIND_FLAG_TOKEN());
    vfio_device_bind_iommufd.token_uuid_ptr(bind, zeros(16).address());
    fails(Errno.EINVAL, ioctl(cdev(), VFIO_DEVICE_BIND_IOMMUFD, bind));
  }

  @Test
  void bindToAClosedDescriptorIsABadOne() {
    // main.c:iommufd_ctx_from_fd
    int device = cdev();
    int closed = open("/dev/iommu");
    close(closed);
    fails(Errno.EBADF, ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, bindOf(closed)));
  }

  @Test
  void bindToAFileThatIsNoIommufdIsABadState() {
    // main.c:iommufd_ctx_from_fd
    fails(Errno.EBADFD, ioctl(cdev(), VFIO_DEVICE_BIND_IOMMUFD, bindOf(eventfd())));
  }

  @Test
  void aFileIsBoundOnce() {
    // device_cdev.c:vfio_df_ioctl_bind_iommufd: before the iommufd is looked at
    int device = boundDevice();
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, bindOf(eventfd())));
  }

  @Test
  void aDeviceIsBoundThroughOneFile() {
    // vfio_main.c:vfio_df_open: open_count for devices without a group
    boundDevice();
    fails(Errno.EINVAL, ioctl(cdev(), VFIO_DEVICE_BIND_IOMMUFD, bindOf(iommufd)));
  }

  @Test
  void theNextFileMayBeBoundWhenTheFirstIsClosed() {
    // device_cdev.c:vfio_df_unbind_iommufd
    int first = boundDevice();
    int second = cdev();
    close(first);
    assertThat(bind(second)).isPositive();
  }

  @Test
  void anAnswerThatCanNotBeWrittenUndoesTheBind() {
    // device_cdev.c:vfio_df_ioctl_bind_iommufd: out_close_device
    int memfd = memfd(PAGE);
    MemorySegment bind = bindOf(iommufd);
    succeeds(kernel.pwrite(memfd, bind.address(), bind.byteSize(), 0));
    long readOnly = mapped(mmap(memfd, PAGE, Libc.PROT_READ(), Libc.MAP_SHARED(), 0), PAGE);
    int device = cdev();
    fails(Errno.EFAULT, ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, readOnly));
    assertThat(bind(device)).isPositive();
  }

  @Test
  void theDeviceIsAnObjectThatIsNotDestroyed() {
    // main.c:iommufd_destroy: the device holds a reference of its own
    int id = bind(cdev());
    fails(Errno.EBUSY, destroy(id));
  }

  @Test
  void closingTheDeviceDestroysItsObject() {
    // device.c:iommufd_device_unbind
    int device = cdev();
    int id = bind(device);
    close(device);
    fails(Errno.ENOENT, destroy(id));
  }

  @Test
  void aBoundDeviceKeepsItsIommufd() {
    // main.c:iommufd_ctx_from_fd holds the file
    int device = boundDevice();
    close(iommufd);
    MemorySegment info = sized(vfio_device_info.layout());
    succeeds(ioctl(device, VFIO_DEVICE_GET_INFO, info));
  }

  @Test
  void aGroupIsNotOpenedWhileItsDeviceIsBound() {
    // group.c:vfio_group_fops_open: cdev_device_open_cnt
    int device = boundDevice();
    String group = "/dev/vfio/" + sysfs.linkName(file("iommu_group")).orElseThrow();
    fails(Errno.EBUSY, kernel.open(group, Libc.O_RDWR() | Libc.O_CLOEXEC()));
    close(device);
    open(group);
  }

  @Test
  void aDeviceIsNotBoundWhileItsGroupIsOpen() {
    // group.c:vfio_device_block_group
    String group = sysfs.linkName(file("iommu_group")).orElseThrow();
    int device = cdev();
    open("/dev/vfio/" + group);
    fails(Errno.EBUSY, ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, bindOf(iommufd)));
  }

  @Test
  void theDeviceFileIsOpenedManyTimes() {
    // device_cdev.c:vfio_device_fops_cdev_open
    assertThat(cdev()).isNotEqualTo(cdev());
  }

  @Test
  void attachToAnIoasMakesAHwpt() {
    // device.c:iommufd_device_auto_get_domain
    int device = boundDevice();
    int ioas = ioas();
    int hwpt = attached(device, ioas);
    assertThat(hwpt).isNotEqualTo(ioas).isPositive();
    fails(Errno.EBUSY, destroy(ioas));
  }

  @Test
  void aHwptThatAttachMadeGoesWithTheDetach() {
    // device.c:iommufd_device_detach: auto_domain
    int device = boundDevice();
    int ioas = ioas();
    int hwpt = attached(device, ioas);
    fails(Errno.EBUSY, destroy(hwpt));
    succeeds(detach(device));
    fails(Errno.ENOENT, destroy(hwpt));
    succeeds(destroy(ioas));
  }

  @Test
  void attachAgainToTheSameIoasKeepsTheHwpt() {
    // device.c:iommufd_device_change_pt
    int device = boundDevice();
    int ioas = ioas();
    int hwpt = attached(device, ioas);
    assertThat(attached(device, ioas)).isEqualTo(hwpt);
  }

  @Test
  void attachToAnotherIoasReplacesTheFirst() {
    // vfio/iommufd.c:vfio_iommufd_physical_attach_ioas: iommufd_device_replace
    int device = boundDevice();
    int first = ioas();
    int second = ioas();
    attached(device, first);
    attached(device, second);
    succeeds(destroy(first));
    fails(Errno.EBUSY, destroy(second));
  }

  @Test
  void attachToAHwptAnswersThatHwpt() {
    // device.c:iommufd_device_attach
    int device = cdev();
    int id = bind(device);
    int hwpt = hwpt(id, ioas());
    assertThat(attached(device, hwpt)).isEqualTo(hwpt);
    fails(Errno.EBUSY, destroy(hwpt));
    succeeds(detach(device));
    succeeds(destroy(hwpt));
  }

  @Test
  void attachToNothingFindsNoEntry() {
    // device.c:iommufd_device_change_pt
    fails(Errno.ENOENT, attach(boundDevice(), NO_OBJECT));
  }

  @Test
  void attachToADeviceIsInvalid() {
    // device.c:iommufd_device_change_pt
    int device = cdev();
    int id = bind(device);
    fails(Errno.EINVAL, attach(device, id));
  }

  @Test
  void aFailedAttachKeepsWhatIsAttached() {
    // device.c:iommufd_device_change_pt
    int device = boundDevice();
    int ioas = ioas();
    attached(device, ioas);
    fails(Errno.ENOENT, attach(device, NO_OBJECT));
    fails(Errno.EBUSY, destroy(ioas));
  }

  @Test
  void attachChecksItsSizeThenItsFlags() {
    // device_cdev.c:vfio_df_ioctl_attach_pt
    int device = boundDevice();
    MemorySegment attach = attachOf(ioas());
    vfio_device_attach_iommufd_pt.flags(attach, 2);
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, attach));
    vfio_device_attach_iommufd_pt.flags(attach, 0);
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, shortened(attach, 11)));
    fails(Errno.EFAULT, ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, NOWHERE));
  }

  @Test
  void attachIgnoresTheBytesThatItDoesNotKnow() {
    // device_cdev.c:vfio_df_ioctl_attach_pt: copies what it knows only
    int device = boundDevice();
    succeeds(ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, withTail(attachOf(ioas()), 8, 1)));
    succeeds(ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, shortened(attachOf(ioas()), 12)));
  }

  @Test
  void aDeviceWithoutPasidsIsNotAttachedWithOne() {
    // vfio/iommufd.c:vfio_iommufd_physical_pasid_attach_ioas
    int device = boundDevice();
    MemorySegment attach = attachOf(ioas());
    vfio_device_attach_iommufd_pt.flags(attach, Vfio.VFIO_DEVICE_ATTACH_PASID());
    vfio_device_attach_iommufd_pt.pasid(attach, 1);
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, attach));
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, shortened(attach, 12)));
  }

  @Test
  void detachOfWhatIsNotAttachedSucceeds() {
    // vfio/iommufd.c:vfio_iommufd_physical_detach_ioas
    int device = boundDevice();
    succeeds(detach(device));
    succeeds(detach(device));
  }

  @Test
  void detachChecksItsSizeAndItsFlags() {
    // device_cdev.c:vfio_df_ioctl_detach_pt
    int device = boundDevice();
    MemorySegment detach = sized(vfio_device_detach_iommufd_pt.layout());
    vfio_device_detach_iommufd_pt.flags(detach, 2);
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, detach));
    vfio_device_detach_iommufd_pt.flags(detach, 0);
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, shortened(detach, 7)));
    fails(Errno.EFAULT, ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, NOWHERE));
  }

  @Test
  void anAttachWhoseAnswerCanNotBeWrittenIsUndone() {
    // device_cdev.c:vfio_df_ioctl_attach_pt: out_detach
    int device = boundDevice();
    int ioas = ioas();
    int memfd = memfd(PAGE);
    MemorySegment attach = attachOf(ioas);
    succeeds(kernel.pwrite(memfd, attach.address(), attach.byteSize(), 0));
    long readOnly = mapped(mmap(memfd, PAGE, Libc.PROT_READ(), Libc.MAP_SHARED(), 0), PAGE);
    fails(Errno.EFAULT, ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, readOnly));
    succeeds(destroy(ioas));
  }

  @Test
  void closingTheDeviceDetachesIt() {
    // vfio/iommufd.c:vfio_iommufd_physical_unbind
    int device = boundDevice();
    int ioas = ioas();
    attached(device, ioas);
    close(device);
    succeeds(destroy(ioas));
  }

  @Test
  void anIoasWithMemoryThatIsGoneIsNotAttached() {
    // pages.c:pfn_reader_user_pin: iopt_table_add_domain fills the domain
    int device = boundDevice();
    int ioas = ioas();
    succeeds(map(ioas, USUAL, unmappedAddress(PAGE), PAGE, 0x10000));
    fails(Errno.EFAULT, attach(device, ioas));
    succeeds(unmap(ioas, 0x10000, PAGE));
    succeeds(attach(device, ioas));
  }

  @Test
  void anIoasWithAnUnalignedMappingIsNotAttached() {
    // io_pagetable.c:iopt_calculate_iova_alignment: EADDRINUSE
    int device = boundDevice();
    int ioas = ioas();
    succeeds(map(ioas, USUAL, ram(PAGE), 0x800, 0x10000));
    fails(Errno.EADDRINUSE, attach(device, ioas));
  }

  @Test
  void anIoasWithAMappingInAReservedRangeIsNotAttached() {
    // io_pagetable.c:iopt_reserve_iova: EADDRINUSE
    int device = boundDevice();
    int ioas = ioas();
    succeeds(map(ioas, USUAL, ram(PAGE), PAGE, 0xfee0_0000L));
    fails(Errno.EADDRINUSE, attach(device, ioas));
  }

  @Test
  void anIoasWithAMappingBeyondTheDevicesReachIsNotAttached() {
    // io_pagetable.c:iopt_table_add_domain: the aperture is reserved around
    int device = boundDevice();
    int ioas = ioas();
    succeeds(map(ioas, USUAL, ram(PAGE), PAGE, 1L << 60));
    fails(Errno.EADDRINUSE, attach(device, ioas));
  }

  @Test
  void aNoCommandOfTheBoundDeviceIsNoIoctl() {
    // vfio_pci_core.c:vfio_pci_core_ioctl
    fails(Errno.ENOTTY, kernel.ioctl(boundDevice(), 0x3bff, 0));
  }

  @Test
  void theGroupsRangesAreTheDevices() {
    // ioas.c:iommufd_ioas_iova_ranges: MSI's window is a hole
    int device = boundDevice();
    int ioas = ioas();
    attached(device, ioas);
    assertThat(ranges(ioas)).hasSize(2);
    assertThat(ranges(ioas).getFirst()).isEqualTo(new Range(0, 0xfedf_ffffL));
    assertThat(ranges(ioas).getLast().start()).isEqualTo(0xfef0_0000L);
    succeeds(detach(device));
    assertThat(ranges(ioas)).containsExactly(Range.ALL);
  }

  @Test
  void anArgumentMayEndWhereMemoryEnds() {
    // device_cdev.c:vfio_df_ioctl_attach_pt reads 12 bytes, whatever the size says
    int device = boundDevice();
    long end = endOfMemory();
    MemorySegment attach = at(end - 12, 12);
    attach.set(ValueLayout.JAVA_INT, 0, 12);
    attach.set(ValueLayout.JAVA_INT, 8, ioas());
    succeeds(ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, end - 12));
    fails(Errno.EFAULT, ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, end - 11));
  }
}
