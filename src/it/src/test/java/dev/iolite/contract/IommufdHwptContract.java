package dev.iolite.contract;

import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_GET_HW_INFO;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_HWPT_ALLOC;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_HWPT_GET_DIRTY_BITMAP;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_HWPT_INVALIDATE;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_HWPT_SET_DIRTY_TRACKING;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_IOVA_RANGES;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_MAP;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_OPTION;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_VDEVICE_ALLOC;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_VIOMMU_ALLOC;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hw_info;
import dev.iolite.uapi.iommufd.iommu_hw_info_vtd;
import dev.iolite.uapi.iommufd.iommu_hwpt_alloc;
import dev.iolite.uapi.iommufd.iommu_hwpt_get_dirty_bitmap;
import dev.iolite.uapi.iommufd.iommu_hwpt_invalidate;
import dev.iolite.uapi.iommufd.iommu_hwpt_set_dirty_tracking;
import dev.iolite.uapi.iommufd.iommu_ioas_iova_ranges;
import dev.iolite.uapi.iommufd.iommu_ioas_map;
import dev.iolite.uapi.iommufd.iommu_option;
import dev.iolite.uapi.iommufd.iommu_vdevice_alloc;
import dev.iolite.uapi.iommufd.iommu_viommu_alloc;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Page tables of an emulated VT-d: made, filled as an IOAS is, attached and destroyed. */
abstract class IommufdHwptContract extends VfioContract {
  private static final long MSI = 0xfee0_0000L;

  private int device = NO_FD;
  private int deviceId;

  IommufdHwptContract(Backend backend) {
    super(backend, Backend.EDU);
  }

  @BeforeEach
  void bindDevice() {
    device = cdev();
    deviceId = bind(device);
  }

  @Test
  void aHwptIsMadeOfAnIoasAndKeepsIt() {
    // hw_pagetable.c:iommufd_hwpt_alloc
    int ioas = ioas();
    int hwpt = hwpt(deviceId, ioas);
    fails(Errno.EBUSY, destroy(ioas));
    succeeds(destroy(hwpt));
    succeeds(destroy(ioas));
  }

  @Test
  void anIoasWithTwoHwptsIsKeptByBoth() {
    // hw_pagetable.c:iommufd_hwpt_paging_alloc
    int ioas = ioas();
    int first = hwpt(deviceId, ioas);
    int second = hwpt(deviceId, ioas);
    succeeds(destroy(first));
    fails(Errno.EBUSY, destroy(ioas));
    succeeds(destroy(second));
    succeeds(destroy(ioas));
  }

  @Test
  void aHwptKeepsNoDevice() {
    // hw_pagetable.c:iommufd_hwpt_alloc: the device is let go of
    int ioas = ioas();
    int hwpt = hwpt(deviceId, ioas);
    close(device);
    succeeds(destroy(hwpt));
  }

  @Test
  void theParentOfAHwptMustExist() {
    // hw_pagetable.c:iommufd_hwpt_alloc: EINVAL, not ENOENT
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_HWPT_ALLOC, hwptOf(0, deviceId, NO_OBJECT)));
  }

  @Test
  void aDeviceIsNoParent() {
    // hw_pagetable.c:iommufd_hwpt_alloc
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_HWPT_ALLOC, hwptOf(0, deviceId, deviceId)));
  }

  @Test
  void unknownHwptFlagsAreNotSupported() {
    // hw_pagetable.c:iommufd_hwpt_paging_alloc
    MemorySegment alloc = hwptOf(1 << 4, deviceId, ioas());
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_HWPT_ALLOC, alloc));
  }

  @Test
  void anIommuWithoutDirtyTrackingMakesNoHwptWithIt() {
    // hw_pagetable.c:iommufd_hwpt_paging_alloc
    int dirty = Iommufd.IOMMU_HWPT_ALLOC_DIRTY_TRACKING();
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_HWPT_ALLOC, hwptOf(dirty, deviceId, ioas())));
  }

  @Test
  void anIommuWithoutNestingMakesNoParent() {
    // intel/iommu.c:intel_iommu_domain_alloc_paging_flags
    int nest = Iommufd.IOMMU_HWPT_ALLOC_NEST_PARENT();
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_HWPT_ALLOC, hwptOf(nest, deviceId, ioas())));
  }

  @Test
  void aParentThatReportsFaultsIsNotSupported() {
    // hw_pagetable.c:iommufd_hwpt_paging_alloc
    int flags = Iommufd.IOMMU_HWPT_ALLOC_NEST_PARENT() | Iommufd.IOMMU_HWPT_FAULT_ID_VALID();
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_HWPT_ALLOC, hwptOf(flags, deviceId, ioas())));
  }

  @Test
  void aHwptWithoutItsFaultQueueIsNotMade() {
    // hw_pagetable.c:iommufd_hwpt_alloc: iommufd_get_fault, after the page table was made
    int ioas = ioas();
    int flags = Iommufd.IOMMU_HWPT_FAULT_ID_VALID();
    int result = ioctl(iommufd, IOMMU_HWPT_ALLOC, hwptOf(flags, deviceId, ioas));
    fails(Errno.ENOENT, result);
    succeeds(destroy(ioas));
  }

  @Test
  void aHwptIsNestedInAHwptOnlyWithData() {
    // hw_pagetable.c:iommufd_hwpt_nested_alloc
    int parent = hwpt(deviceId, ioas());
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_HWPT_ALLOC, hwptOf(0, deviceId, parent)));
  }

  @Test
  void onlyANestParentIsNestedIn() {
    // hw_pagetable.c:iommufd_hwpt_nested_alloc
    int parent = hwpt(deviceId, ioas());
    MemorySegment alloc = hwptOf(0, deviceId, parent);
    iommu_hwpt_alloc.data_type(alloc, Iommufd.IOMMU_HWPT_DATA_VTD_S1());
    iommu_hwpt_alloc.data_len(alloc, 24);
    iommu_hwpt_alloc.data_uptr(alloc, zeros(24).address());
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_HWPT_ALLOC, alloc));
  }

  @Test
  void aHwptOfAnIoasTakesNoData() {
    // hw_pagetable.c:iommufd_hwpt_paging_alloc; intel/iommu.c
    MemorySegment alloc = hwptOf(0, deviceId, ioas());
    iommu_hwpt_alloc.data_type(alloc, Iommufd.IOMMU_HWPT_DATA_VTD_S1());
    iommu_hwpt_alloc.data_len(alloc, 24);
    iommu_hwpt_alloc.data_uptr(alloc, zeros(24).address());
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_HWPT_ALLOC, alloc));
  }

  @Test
  void twentyFourBytesOfAHwptAreEnough() {
    // main.c:iommufd_ioctl_ops: min_size ends at __reserved
    MemorySegment alloc = hwptOf(0, deviceId, ioas());
    succeeds(ioctl(iommufd, IOMMU_HWPT_ALLOC, shortened(alloc, 24)));
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_HWPT_ALLOC, shortened(alloc, 23)));
  }

  @Test
  void aHwptNarrowsItsIoasAtOnce() {
    // hw_pagetable.c:iommufd_hwpt_paging_alloc: iopt_table_add_domain takes the aperture
    int ioas = ioas();
    int hwpt = hwpt(deviceId, ioas);
    assertThat(ranges(ioas)).hasSize(1);
    assertThat(ranges(ioas).getFirst()).isNotEqualTo(Range.ALL);
    succeeds(destroy(hwpt));
    assertThat(ranges(ioas)).containsExactly(Range.ALL);
  }

  @Test
  void aHwptAlignsItsIoasToPages() {
    // io_pagetable.c:iopt_calculate_iova_alignment
    int ioas = ioas();
    hwpt(deviceId, ioas);
    MemorySegment ranges = rangesOf(ioas, 4, zeros(64));
    succeeds(ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, ranges));
    assertThat(iommu_ioas_iova_ranges.out_iova_alignment(ranges)).isEqualTo(PAGE);
  }

  @Test
  void halfOfTheRangesIsWrittenWhereThereIsRoomForHalf() {
    // ioas.c:iommufd_ioas_iova_ranges
    int ioas = ioas();
    attached(device, ioas);
    MemorySegment into = zeros(64);
    MemorySegment ranges = rangesOf(ioas, 1, into);
    fails(Errno.EMSGSIZE, ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, ranges));
    assertThat(iommu_ioas_iova_ranges.num_iovas(ranges)).isEqualTo(2);
    assertThat(read(into, 2)).containsExactly(new Range(0, MSI - 1), new Range(0, 0));
  }

  @Test
  void mapOfHalfAPageIsInvalid() {
    // io_pagetable.c:iopt_alloc_area_pages, iopt_check_iova
    int ioas = attachedIoas();
    long ram = ram(2 * PAGE);
    fails(Errno.EINVAL, map(ioas, USUAL, ram, 0x800, 0x10000));
    fails(Errno.EINVAL, map(ioas, USUAL, ram, PAGE, 0x10800));
    fails(Errno.EINVAL, map(ioas, USUAL, ram + 0x800, PAGE, 0x10000));
  }

  private int attachedIoas() {
    int ioas = ioas();
    attached(device, ioas);
    return ioas;
  }

  @Test
  void mapInAReservedRangeIsInvalid() {
    // io_pagetable.c:iopt_check_iova
    int ioas = attachedIoas();
    long ram = ram(2 * PAGE);
    fails(Errno.EINVAL, map(ioas, USUAL, ram, PAGE, MSI));
    fails(Errno.EINVAL, map(ioas, USUAL, ram, 2 * PAGE, MSI - PAGE));
    succeeds(map(ioas, USUAL, ram, PAGE, MSI - PAGE));
  }

  @Test
  void aReservedRangeIsLookedAtBeforeWhatIsMapped() {
    // io_pagetable.c:iopt_check_iova: reserved_itree, then area_itree
    int ioas = attachedIoas();
    long ram = ram(2 * PAGE);
    succeeds(map(ioas, USUAL, ram, PAGE, MSI - PAGE));
    fails(Errno.EINVAL, map(ioas, USUAL, ram, 2 * PAGE, MSI - PAGE));
  }

  @Test
  void mapBeyondTheAddressesOfTheIommuIsInvalid() {
    // io_pagetable.c:iopt_check_iova
    int ioas = attachedIoas();
    long beyond = ranges(ioas).getLast().last() + 1;
    long ram = ram(PAGE);
    fails(Errno.EINVAL, map(ioas, USUAL, ram, PAGE, beyond));
    succeeds(map(ioas, USUAL, ram, PAGE, beyond - PAGE));
  }

  @Test
  void memoryThatIsNotThereIsAFaultAndLeavesNothing() {
    // pages.c:pfn_reader_user_pin
    int ioas = attachedIoas();
    fails(Errno.EFAULT, map(ioas, USUAL, unmappedAddress(PAGE), PAGE, 0x10000));
    assertThat(unmapped(ioas, 0, U64_MAX)).isZero();
  }

  @Test
  void memoryThatIsReadOnlyIsMappedForReading() {
    // pages.c:pfn_reader_user_pin: FOLL_WRITE
    int ioas = attachedIoas();
    int memfd = memfd(PAGE);
    long readOnly = mapped(mmap(memfd, PAGE, Libc.PROT_READ(), Libc.MAP_SHARED(), 0), PAGE);
    fails(Errno.EFAULT, map(ioas, USUAL, readOnly, PAGE, 0x10000));
    succeeds(map(ioas, FIXED | READ, readOnly, PAGE, 0x10000));
  }

  @Test
  void registersAreNotMemoryToMap() {
    // pages.c:pfn_reader_user_pin: VM_PFNMAP
    int ioas = attachedIoas();
    setCommand(device, MEMORY);
    int readWrite = Libc.PROT_READ() | Libc.PROT_WRITE();
    long bar = mapped(mmap(device, PAGE, readWrite, Libc.MAP_SHARED(), 0), PAGE);
    fails(Errno.EFAULT, map(ioas, USUAL, bar, PAGE, 0x10000));
  }

  @Test
  void memoryMayBeUnmappedByTheProcessWhenItIsPinned() {
    // pages.c: the pages are pinned, not the addresses
    int ioas = attachedIoas();
    long ram = ram(PAGE);
    succeeds(map(ioas, USUAL, ram, PAGE, 0x10000));
    unmap(ram, PAGE);
    assertThat(unmapped(ioas, 0x10000, PAGE)).isEqualTo(PAGE);
  }

  @Test
  void beyondTheEndOfAMemfdThereIsNothingToPin() {
    // mm/gup.c:memfd_pin_folios
    int ioas = attachedIoas();
    int memfd = memfd(PAGE);
    fails(Errno.EINVAL, mapFile(ioas, USUAL, memfd, 0x100000, PAGE, 0x10000));
    succeeds(mapFile(ioas, USUAL, memfd, 0, PAGE, 0x10000));
  }

  @Test
  void aFileThatIsNoMemoryIsInvalid() {
    // mm/gup.c:memfd_pin_folios
    int ioas = attachedIoas();
    fails(Errno.EINVAL, mapFile(ioas, USUAL, eventfd(), 0, PAGE, 0x10000));
    fails(Errno.EINVAL, mapFile(ioas, USUAL, iommufd, 0, PAGE, 0x10000));
  }

  @Test
  void theKernelChoosesNoReservedAddress() {
    // io_pagetable.c:iopt_alloc_iova
    int ioas = attachedIoas();
    MemorySegment map = mapOf(ioas, READ | WRITE, ram(PAGE), PAGE, 0);
    succeeds(ioctl(iommufd, IOMMU_IOAS_MAP, map));
    long iova = iommu_ioas_map.iova(map);
    assertThat(ranges(ioas)).anyMatch(range -> range.start() <= iova && iova <= range.last());
  }

  @Test
  void copyBetweenAnAttachedIoasAndAFreeOne() {
    // ioas.c:iommufd_ioas_copy
    int attached = attachedIoas();
    int free = ioas();
    succeeds(map(attached, USUAL, ram(2 * PAGE), 2 * PAGE, 0x10000));
    succeeds(copy(free, FIXED | READ, MSI, attached, 0x10000, PAGE));
    fails(Errno.EINVAL, copy(attached, FIXED | READ, MSI, free, MSI, PAGE));
    succeeds(copy(attached, FIXED | READ, 0x20000, free, MSI, PAGE));
  }

  @Test
  void aHalfPageOfAFreeIoasIsNotCopiedToAnAttachedOne() {
    // io_pagetable.c:iopt_insert_area
    int attached = attachedIoas();
    int free = ioas();
    succeeds(map(free, USUAL, ram(2 * PAGE), 2 * PAGE, 0x10800));
    fails(Errno.EINVAL, copy(attached, USUAL, 0x10000, free, 0x11000, PAGE));
    succeeds(copy(attached, USUAL, 0x10000, free, 0x10800, PAGE));
  }

  @Test
  void hugePagesAreNotSwitchedOffWhileAHwptHasPages() {
    // io_pagetable.c:iopt_disable_large_pages
    int ioas = attachedIoas();
    succeeds(map(ioas, USUAL, ram(PAGE), PAGE, 0x10000));
    fails(Errno.EINVAL, setHugePages(ioas, 0));
  }

  private int setHugePages(int ioas, long value) {
    MemorySegment option = sized(iommu_option.layout());
    iommu_option.option_id(option, Iommufd.IOMMU_OPTION_HUGE_PAGES());
    iommu_option.op(option, (short) Iommufd.IOMMU_OPTION_OP_SET());
    iommu_option.object_id(option, ioas);
    iommu_option.val64(option, value);
    return ioctl(iommufd, IOMMU_OPTION, option);
  }

  @Test
  void hardwareInfoTellsItsTypeAndItsLength() {
    // device.c:iommufd_get_hw_info; intel/iommu.c:intel_iommu_hw_info
    MemorySegment data = zeros(iommu_hw_info_vtd.sizeof() + 8).fill((byte) 0x55);
    MemorySegment info = sized(iommu_hw_info.layout());
    iommu_hw_info.dev_id(info, deviceId);
    iommu_hw_info.data_uptr(info, data.address());
    iommu_hw_info.data_len(info, (int) data.byteSize());
    succeeds(ioctl(iommufd, IOMMU_GET_HW_INFO, info));
    assertThat(iommu_hw_info.out_data_type(info)).isEqualTo(Iommufd.IOMMU_HW_INFO_TYPE_INTEL_VTD());
    assertThat(iommu_hw_info.data_len(info)).isEqualTo((int) iommu_hw_info_vtd.sizeof());
    assertThat(iommu_hw_info_vtd.cap_reg(data)).isNotZero();
    assertThat(data.get(ValueLayout.JAVA_LONG, iommu_hw_info_vtd.sizeof()))
        .as("what is behind the data is cleared")
        .isZero();
  }

  @Test
  void hardwareInfoIsCutToTheRoomThereIs() {
    // device.c:iommufd_get_hw_info
    MemorySegment data = zeros(iommu_hw_info_vtd.sizeof()).fill((byte) 0x55);
    MemorySegment info = sized(iommu_hw_info.layout());
    iommu_hw_info.dev_id(info, deviceId);
    iommu_hw_info.data_uptr(info, data.address());
    iommu_hw_info.data_len(info, 8);
    succeeds(ioctl(iommufd, IOMMU_GET_HW_INFO, info));
    assertThat(iommu_hw_info.data_len(info)).isEqualTo((int) iommu_hw_info_vtd.sizeof());
    assertThat(iommu_hw_info_vtd.cap_reg(data)).isEqualTo(0x5555_5555_5555_5555L);
  }

  @Test
  void hardwareInfoIntoNowhereIsAFault() {
    // device.c:iommufd_get_hw_info: copy_to_user
    MemorySegment info = sized(iommu_hw_info.layout());
    iommu_hw_info.dev_id(info, deviceId);
    iommu_hw_info.data_uptr(info, NOWHERE);
    iommu_hw_info.data_len(info, 8);
    fails(Errno.EFAULT, ioctl(iommufd, IOMMU_GET_HW_INFO, info));
  }

  @Test
  void hardwareInfoOfATypeThatIsNotTheIommusIsNotSupported() {
    // intel/iommu.c:intel_iommu_hw_info
    MemorySegment info = sized(iommu_hw_info.layout());
    iommu_hw_info.dev_id(info, deviceId);
    iommu_hw_info.flags(info, Iommufd.IOMMU_HW_INFO_FLAG_INPUT_TYPE());
    iommu_hw_info.in_data_type(info, Iommufd.IOMMU_HW_INFO_TYPE_AMD());
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_GET_HW_INFO, info));
    iommu_hw_info.in_data_type(info, Iommufd.IOMMU_HW_INFO_TYPE_INTEL_VTD());
    succeeds(ioctl(iommufd, IOMMU_GET_HW_INFO, info));
  }

  @Test
  void aHwptWithoutDirtyTrackingIsNotTracked() {
    // io_pagetable.c:iopt_set_dirty_tracking
    MemorySegment set = sized(iommu_hwpt_set_dirty_tracking.layout());
    iommu_hwpt_set_dirty_tracking.hwpt_id(set, hwpt(deviceId, ioas()));
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_HWPT_SET_DIRTY_TRACKING, set));
  }

  @Test
  void aDirtyBitmapChecksItsRangeBeforeTheHwptsAbility() {
    // io_pagetable.c:iommufd_check_iova_range
    MemorySegment get = sized(iommu_hwpt_get_dirty_bitmap.layout());
    iommu_hwpt_get_dirty_bitmap.hwpt_id(get, hwpt(deviceId, ioas()));
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_HWPT_GET_DIRTY_BITMAP, get));
    iommu_hwpt_get_dirty_bitmap.iova(get, -PAGE);
    iommu_hwpt_get_dirty_bitmap.length(get, 2 * PAGE);
    fails(Errno.EOVERFLOW, ioctl(iommufd, IOMMU_HWPT_GET_DIRTY_BITMAP, get));
    iommu_hwpt_get_dirty_bitmap.iova(get, 0x10000);
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_HWPT_GET_DIRTY_BITMAP, get));
    iommu_hwpt_get_dirty_bitmap.page_size(get, PAGE);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_HWPT_GET_DIRTY_BITMAP, get));
  }

  @Test
  void aHwptThatIsNotNestedIsNotInvalidated() {
    // hw_pagetable.c:iommufd_hwpt_invalidate
    MemorySegment invalidate = sized(iommu_hwpt_invalidate.layout());
    iommu_hwpt_invalidate.hwpt_id(invalidate, hwpt(deviceId, ioas()));
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_HWPT_INVALIDATE, invalidate));
  }

  @Test
  void anIommuWithoutViommusSaysSoBeforeItLooksForTheHwpt() {
    // viommu.c:iommufd_viommu_alloc_ioctl: the driver, the type, then the HWPT
    MemorySegment alloc = sized(iommu_viommu_alloc.layout());
    iommu_viommu_alloc.type(alloc, 1);
    iommu_viommu_alloc.dev_id(alloc, deviceId);
    iommu_viommu_alloc.hwpt_id(alloc, NO_OBJECT);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_VIOMMU_ALLOC, alloc));
  }

  @Test
  void aHwptIsNoViommu() {
    // viommu.c:iommufd_vdevice_alloc_ioctl
    MemorySegment alloc = sized(iommu_vdevice_alloc.layout());
    iommu_vdevice_alloc.viommu_id(alloc, hwpt(deviceId, ioas()));
    iommu_vdevice_alloc.dev_id(alloc, deviceId);
    fails(Errno.ENOENT, ioctl(iommufd, IOMMU_VDEVICE_ALLOC, alloc));
  }

  @Test
  void aHwptIsNoIoas() {
    // main.c:iommufd_get_object: another type is no entry
    int hwpt = hwpt(deviceId, ioas());
    fails(Errno.ENOENT, map(hwpt, USUAL, ram(PAGE), PAGE, 0));
  }

  @Test
  void anIoasThatIsFullOfMemoryThatIsGoneTakesNoHwpt() {
    // hw_pagetable.c:iommufd_hwpt_paging_alloc: iopt_table_add_domain
    int ioas = ioas();
    succeeds(map(ioas, USUAL, unmappedAddress(PAGE), PAGE, 0x10000));
    fails(Errno.EFAULT, ioctl(iommufd, IOMMU_HWPT_ALLOC, hwptOf(0, deviceId, ioas)));
    succeeds(destroy(ioas));
  }

  @Test
  void aDeviceMovesBetweenHwptsOfOneIoas() {
    // device.c:iommufd_device_do_replace
    int ioas = ioas();
    int first = hwpt(deviceId, ioas);
    int second = hwpt(deviceId, ioas);
    assertThat(attached(device, first)).isEqualTo(first);
    assertThat(attached(device, second)).isEqualTo(second);
    succeeds(destroy(first));
    fails(Errno.EBUSY, destroy(second));
  }

  @Test
  void aHwptThatIsThereIsUsedWhenItsIoasIsAttached() {
    // device.c:iommufd_device_auto_get_domain: only those that were made automatically
    int ioas = ioas();
    int hwpt = hwpt(deviceId, ioas);
    assertThat(attached(device, ioas)).isNotEqualTo(hwpt);
  }
}
