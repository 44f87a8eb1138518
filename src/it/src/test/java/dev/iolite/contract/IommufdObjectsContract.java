package dev.iolite.contract;

import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_DESTROY;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_FAULT_QUEUE_ALLOC;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_GET_HW_INFO;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_HWPT_ALLOC;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_HWPT_GET_DIRTY_BITMAP;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_HWPT_INVALIDATE;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_HWPT_SET_DIRTY_TRACKING;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_HW_QUEUE_ALLOC;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_ALLOC;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_CHANGE_PROCESS;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_MAP;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_NOIOMMU_GET_PA;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_OPTION;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_VDEVICE_ALLOC;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_VEVENTQ_ALLOC;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_VFIO_IOAS;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_VIOMMU_ALLOC;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_destroy;
import dev.iolite.uapi.iommufd.iommu_fault_alloc;
import dev.iolite.uapi.iommufd.iommu_hw_info;
import dev.iolite.uapi.iommufd.iommu_hw_queue_alloc;
import dev.iolite.uapi.iommufd.iommu_hwpt_alloc;
import dev.iolite.uapi.iommufd.iommu_hwpt_get_dirty_bitmap;
import dev.iolite.uapi.iommufd.iommu_hwpt_invalidate;
import dev.iolite.uapi.iommufd.iommu_hwpt_pgfault;
import dev.iolite.uapi.iommufd.iommu_hwpt_set_dirty_tracking;
import dev.iolite.uapi.iommufd.iommu_ioas_alloc;
import dev.iolite.uapi.iommufd.iommu_ioas_change_process;
import dev.iolite.uapi.iommufd.iommu_ioas_map;
import dev.iolite.uapi.iommufd.iommu_ioas_noiommu_get_pa;
import dev.iolite.uapi.iommufd.iommu_option;
import dev.iolite.uapi.iommufd.iommu_vdevice_alloc;
import dev.iolite.uapi.iommufd.iommu_veventq_alloc;
import dev.iolite.uapi.iommufd.iommu_vfio_ioas;
import dev.iolite.uapi.iommufd.iommu_viommu_alloc;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.libc.pollfd;
import dev.iolite.uapi.vfio.Vfio;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** The iommufd's dispatcher, its options, and the objects that need no device. */
abstract class IommufdObjectsContract extends IommufdContract {
  private static final int TSM_REQUEST_PROPOSED = 0x3b96;

  IommufdObjectsContract(Backend backend) {
    super(backend);
  }

  @Test
  void aNumberThatIsNoCommandIsNoIoctl() {
    // main.c:iommufd_fops_ioctl: op->ioctl_num is not cmd
    fails(Errno.ENOTTY, kernel.ioctl(iommufd, TSM_REQUEST_PROPOSED, sized(16).address()));
    fails(Errno.ENOTTY, kernel.ioctl(iommufd, 0x3bff, sized(16).address()));
    fails(Errno.ENOTTY, kernel.ioctl(iommufd, 0, 0));
  }

  @Test
  void aCommandOfAnotherTypeOrDirectionIsNoIoctl() {
    // main.c:iommufd_fops_ioctl compares the whole number
    MemorySegment alloc = sized(iommu_ioas_alloc.layout());
    fails(Errno.ENOTTY, kernel.ioctl(iommufd, 0xae81, alloc.address()));
    fails(Errno.ENOTTY, kernel.ioctl(iommufd, 0xc000_3b81L, alloc.address()));
  }

  @Test
  void theSizeIsReadBeforeTheCommandIsKnown() {
    // main.c:iommufd_fops_ioctl: get_user first, for a number within the table
    fails(Errno.EFAULT, kernel.ioctl(iommufd, 0xc000_3b81L, NOWHERE));
    fails(Errno.EFAULT, ioctl(iommufd, IOMMU_IOAS_ALLOC, NOWHERE));
    fails(Errno.EFAULT, ioctl(iommufd, IOMMU_IOAS_ALLOC, 0));
  }

  @Test
  void aSizeThatIsTooSmallIsInvalid() {
    // main.c:iommufd_fops_ioctl: op->min_size
    MemorySegment alloc = sized(iommu_ioas_alloc.layout());
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_IOAS_ALLOC, shortened(alloc, 11)));
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_IOAS_ALLOC, shortened(alloc, 0)));
  }

  @Test
  void aSizeOfZeroIsLookedAtBeforeTheRestIsRead() {
    // main.c:iommufd_fops_ioctl: only the size is readable, at the end of a page
    long end = endOfMemory();
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_IOAS_ALLOC, end - 4));
    fails(Errno.EFAULT, ioctl(iommufd, IOMMU_IOAS_ALLOC, end - 2));
  }

  @Test
  void unknownBytesMustBeZero() {
    // lib/usercopy.c:copy_struct_from_user
    MemorySegment alloc = sized(iommu_ioas_alloc.layout());
    succeeds(ioctl(iommufd, IOMMU_IOAS_ALLOC, withTail(alloc, 8, 0)));
    fails(Errno.E2BIG, ioctl(iommufd, IOMMU_IOAS_ALLOC, withTail(alloc, 8, 1)));
  }

  @Test
  void unknownBytesAreLookedAtBeforeTheFields() {
    // main.c:iommufd_fops_ioctl: E2BIG before EOPNOTSUPP of the flags
    MemorySegment map = mapOf(NO_OBJECT, -1, 0, PAGE, 0);
    fails(Errno.E2BIG, ioctl(iommufd, IOMMU_IOAS_MAP, withTail(map, 1, 1)));
  }

  @Test
  void anArgumentThatEndsInNoMemoryIsAFault() {
    // lib/usercopy.c:copy_struct_from_user
    long end = endOfMemory();
    at(end - 8, 4).set(ValueLayout.JAVA_INT, 0, 12);
    fails(Errno.EFAULT, ioctl(iommufd, IOMMU_IOAS_ALLOC, end - 8));
  }

  @Test
  void anAnswerThatCanNotBeWrittenIsAFaultAndLeavesNoObject() {
    // ioas.c:iommufd_ioas_alloc_ioctl: out_table
    int memfd = memfd(PAGE);
    MemorySegment contents = zeros(4);
    contents.set(ValueLayout.JAVA_INT, 0, 12);
    succeeds(kernel.pwrite(memfd, contents.address(), 4, 0));
    long readOnly = mapped(mmap(memfd, PAGE, Libc.PROT_READ(), Libc.MAP_SHARED(), 0), PAGE);
    fails(Errno.EFAULT, ioctl(iommufd, IOMMU_IOAS_ALLOC, readOnly));
    assertThat(ioas()).isEqualTo(1);
  }

  @Test
  void anAnswerThatIsNotNeededIsWrittenInPart() {
    // main.c:iommufd_ucmd_respond: min of the caller's size and its own
    MemorySegment map = mapOf(ioas(), READ, ram(PAGE), PAGE, 0);
    succeeds(ioctl(iommufd, IOMMU_IOAS_MAP, map));
    assertThat(iommu_ioas_map.length(map)).isEqualTo(PAGE);
    assertThat(iommu_ioas_map.size(map)).isEqualTo((int) map.byteSize());
  }

  @Test
  void destroyOfNothingFindsNoEntry() {
    // main.c:iommufd_object_remove
    fails(Errno.ENOENT, destroy(1));
    fails(Errno.ENOENT, destroy(0));
    fails(Errno.ENOENT, destroy(-1));
  }

  @Test
  void destroyTwiceFindsNoEntry() {
    // main.c:iommufd_object_remove
    int ioas = ioas();
    succeeds(destroy(ioas));
    fails(Errno.ENOENT, destroy(ioas));
  }

  @Test
  void destroyNeedsEightBytes() {
    // main.c:iommufd_ioctl_ops
    MemorySegment destroy = sized(iommu_destroy.layout());
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_DESTROY, shortened(destroy, 7)));
  }

  private MemorySegment optionOf(int option, int op, int object, long value) {
    MemorySegment argument = sized(iommu_option.layout());
    iommu_option.option_id(argument, option);
    iommu_option.op(argument, (short) op);
    iommu_option.object_id(argument, object);
    iommu_option.val64(argument, value);
    return argument;
  }

  private int option(int option, int op, int object, long value) {
    return ioctl(iommufd, IOMMU_OPTION, optionOf(option, op, object, value));
  }

  private long optionValue(int option, int object) {
    MemorySegment argument = optionOf(option, Iommufd.IOMMU_OPTION_OP_GET(), object, 77);
    succeeds(ioctl(iommufd, IOMMU_OPTION, argument));
    return iommu_option.val64(argument);
  }

  private static final int RLIMIT = Iommufd.IOMMU_OPTION_RLIMIT_MODE();
  private static final int HUGE = Iommufd.IOMMU_OPTION_HUGE_PAGES();
  private static final int SET = Iommufd.IOMMU_OPTION_OP_SET();
  private static final int GET = Iommufd.IOMMU_OPTION_OP_GET();

  @Test
  void pinnedMemoryIsChargedToTheUserUnlessToldOtherwise() {
    // ioas.c:iommufd_option_rlimit_mode
    assertThat(optionValue(RLIMIT, 0)).isZero();
    succeeds(option(RLIMIT, SET, 0, 1));
    assertThat(optionValue(RLIMIT, 0)).isEqualTo(1);
    succeeds(option(RLIMIT, SET, 0, 0));
    assertThat(optionValue(RLIMIT, 0)).isZero();
  }

  @Test
  void theChargeHasTwoModes() {
    // ioas.c:iommufd_option_rlimit_mode
    fails(Errno.EINVAL, option(RLIMIT, SET, 0, 2));
  }

  @Test
  void theChargeIsNotChangedWhileThereAreObjects() {
    // ioas.c:iommufd_option_rlimit_mode: EBUSY before the value is looked at
    int ioas = ioas();
    fails(Errno.EBUSY, option(RLIMIT, SET, 0, 2));
    assertThat(optionValue(RLIMIT, 0)).isZero();
    succeeds(destroy(ioas));
    succeeds(option(RLIMIT, SET, 0, 1));
  }

  @Test
  void theChargeBelongsToNoObject() {
    // ioas.c:iommufd_option_rlimit_mode
    fails(Errno.EOPNOTSUPP, option(RLIMIT, GET, ioas(), 0));
  }

  @Test
  void anOptionIsSetOrGotten() {
    // ioas.c:iommufd_option_rlimit_mode, iommufd_ioas_option_huge_pages
    fails(Errno.EOPNOTSUPP, option(RLIMIT, 2, 0, 0));
    fails(Errno.EOPNOTSUPP, option(HUGE, 2, ioas(), 0));
  }

  @Test
  void anOptionThatIsNotKnownIsNotSupported() {
    // main.c:iommufd_option
    fails(Errno.EOPNOTSUPP, option(2, GET, 0, 0));
    fails(Errno.EOPNOTSUPP, option(-1, SET, 0, 0));
  }

  @Test
  void theReservedFieldOfAnOptionIsNotSupported() {
    // main.c:iommufd_option
    MemorySegment argument = optionOf(RLIMIT, GET, 0, 0);
    iommu_option.__reserved(argument, (short) 1);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_OPTION, argument));
  }

  @Test
  void hugePagesAreUsedUnlessToldOtherwise() {
    // ioas.c:iommufd_ioas_option_huge_pages
    int ioas = ioas();
    assertThat(optionValue(HUGE, ioas)).isEqualTo(1);
    succeeds(option(HUGE, SET, ioas, 0));
    assertThat(optionValue(HUGE, ioas)).isZero();
    succeeds(option(HUGE, SET, ioas, 1));
    assertThat(optionValue(HUGE, ioas)).isEqualTo(1);
    fails(Errno.EINVAL, option(HUGE, SET, ioas, 2));
  }

  @Test
  void hugePagesAreSwitchedOffUnderMappingsWhereNoDeviceIs() {
    // io_pagetable.c:iopt_disable_large_pages: refused only if there is a domain too
    int ioas = ioas();
    succeeds(map(ioas, USUAL, ram(PAGE), PAGE, 0x10000));
    succeeds(option(HUGE, SET, ioas, 0));
  }

  @Test
  void hugePagesAreAnOptionOfAnIoas() {
    // ioas.c:iommufd_ioas_option
    fails(Errno.ENOENT, option(HUGE, GET, 0, 0));
    fails(Errno.ENOENT, option(HUGE, SET, NO_OBJECT, 7));
  }

  @Test
  void theOldContainersIoasIsTheOneThatWasSet() {
    // vfio_compat.c:iommufd_vfio_ioas
    fails(Errno.ENODEV, vfioIoas(Iommufd.IOMMU_VFIO_IOAS_GET(), 0));
    int ioas = ioas();
    succeeds(vfioIoas(Iommufd.IOMMU_VFIO_IOAS_SET(), ioas));
    MemorySegment get = vfioIoasOf(Iommufd.IOMMU_VFIO_IOAS_GET(), 0);
    succeeds(ioctl(iommufd, IOMMU_VFIO_IOAS, get));
    assertThat(iommu_vfio_ioas.ioas_id(get)).isEqualTo(ioas);
    succeeds(vfioIoas(Iommufd.IOMMU_VFIO_IOAS_CLEAR(), 0));
    fails(Errno.ENODEV, vfioIoas(Iommufd.IOMMU_VFIO_IOAS_GET(), 0));
  }

  @Test
  void theOldContainersIoasMustExist() {
    // vfio_compat.c:iommufd_vfio_ioas
    fails(Errno.ENOENT, vfioIoas(Iommufd.IOMMU_VFIO_IOAS_SET(), NO_OBJECT));
    fails(Errno.EOPNOTSUPP, vfioIoas(3, 0));
    MemorySegment get = vfioIoasOf(Iommufd.IOMMU_VFIO_IOAS_GET(), 0);
    iommu_vfio_ioas.__reserved(get, (short) 1);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_VFIO_IOAS, get));
  }

  @Test
  void anIoasThatIsDestroyedIsNoMoreTheOldContainers() {
    // vfio_compat.c:get_compat_ioas
    int ioas = ioas();
    succeeds(vfioIoas(Iommufd.IOMMU_VFIO_IOAS_SET(), ioas));
    succeeds(destroy(ioas));
    fails(Errno.ENODEV, vfioIoas(Iommufd.IOMMU_VFIO_IOAS_GET(), 0));
  }

  private MemorySegment vfioIoasOf(int op, int ioas) {
    MemorySegment argument = sized(iommu_vfio_ioas.layout());
    iommu_vfio_ioas.op(argument, (short) op);
    iommu_vfio_ioas.ioas_id(argument, ioas);
    return argument;
  }

  private int vfioIoas(int op, int ioas) {
    return ioctl(iommufd, IOMMU_VFIO_IOAS, vfioIoasOf(op, ioas));
  }

  @Test
  void theOldInterfaceTellsItsVersion() {
    // vfio_compat.c:iommufd_vfio_ioctl
    assertThat(kernel.ioctl(iommufd, Vfio.VFIO_GET_API_VERSION() & 0xffff_ffffL, 0)).isZero();
  }

  @Test
  void pagesOfAFileMayChangeTheProcessThatPaysForThem() {
    // ioas.c:iommufd_ioas_change_process
    MemorySegment change = sized(iommu_ioas_change_process.layout());
    int ioas = ioas();
    succeeds(ioctl(iommufd, IOMMU_IOAS_CHANGE_PROCESS, change));
    succeeds(mapFile(ioas, USUAL, memfd(PAGE), 0, PAGE, 0));
    succeeds(ioctl(iommufd, IOMMU_IOAS_CHANGE_PROCESS, change));
  }

  @Test
  void pagesOfAProcessStayItsOwn() {
    // ioas.c:iommufd_ioas_change_process: only IOPT_ADDRESS_FILE
    MemorySegment change = sized(iommu_ioas_change_process.layout());
    succeeds(map(ioas(), USUAL, ram(PAGE), PAGE, 0));
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_IOAS_CHANGE_PROCESS, change));
    iommu_ioas_change_process.__reserved(change, 1);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_IOAS_CHANGE_PROCESS, change));
  }

  @Test
  void aFaultQueueIsAnObjectAndAFile() {
    // eventq.c:iommufd_fault_alloc
    MemorySegment alloc = sized(iommu_fault_alloc.layout());
    succeeds(ioctl(iommufd, IOMMU_FAULT_QUEUE_ALLOC, alloc));
    assertThat(iommu_fault_alloc.out_fault_id(alloc)).isEqualTo(1);
    int queue = keep(iommu_fault_alloc.out_fault_fd(alloc));
    fails(Errno.EBUSY, destroy(1));
    close(queue);
    succeeds(destroy(1));
  }

  @Test
  void aFaultQueueWithoutFaultsIsWritableAndNotReadable() {
    // eventq.c:iommufd_eventq_fops_poll
    int queue = faultQueue();
    MemorySegment poll = struct(pollfd.layout());
    pollfd.fd(poll, queue);
    pollfd.events(poll, (short) (Libc.POLLIN() | Libc.POLLOUT()));
    assertThat(kernel.poll(poll.address(), 1, 0)).isEqualTo(1);
    assertThat(pollfd.revents(poll)).isEqualTo((short) Libc.POLLOUT());
  }

  @Test
  void readingAFaultQueueWithoutFaultsReadsNothing() {
    // eventq.c:iommufd_fault_fops_read: a multiple of struct iommu_hwpt_pgfault
    int queue = faultQueue();
    long bytes = 2 * iommu_hwpt_pgfault.sizeof();
    assertThat(kernel.read(queue, zeros(bytes).address(), bytes)).isZero();
    fails(Errno.ESPIPE, kernel.read(queue, zeros(bytes).address(), bytes - 1));
  }

  @Test
  void aPageResponseHasItsWholeSize() {
    // eventq.c:iommufd_fault_fops_write
    int queue = faultQueue();
    fails(Errno.ESPIPE, kernel.write(queue, zeros(64).address(), 7));
    fails(Errno.EFAULT, kernel.write(queue, NOWHERE, 8));
  }

  @Test
  void aPageResponseForNoFaultIsInvalid() {
    // eventq.c:iommufd_fault_fops_write: an unknown cookie
    int queue = faultQueue();
    fails(Errno.EINVAL, kernel.write(queue, zeros(64).address(), 8));
  }

  @Test
  void aFaultQueueIsReadInOnePieceAtItsPosition() {
    // eventq.c:iommufd_fault_fops_read: a position other than 0 is refused
    int queue = faultQueue();
    long bytes = iommu_hwpt_pgfault.sizeof();
    fails(Errno.ESPIPE, kernel.pread(queue, zeros(bytes).address(), bytes, bytes));
  }

  @Test
  void aFaultQueueWithFlagsIsNotSupported() {
    // eventq.c:iommufd_fault_alloc
    MemorySegment alloc = sized(iommu_fault_alloc.layout());
    iommu_fault_alloc.flags(alloc, 1);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_FAULT_QUEUE_ALLOC, alloc));
  }

  private int faultQueue() {
    MemorySegment alloc = sized(iommu_fault_alloc.layout());
    succeeds(ioctl(iommufd, IOMMU_FAULT_QUEUE_ALLOC, alloc));
    return keep(iommu_fault_alloc.out_fault_fd(alloc));
  }

  @Test
  void aHwptIsMadeForADeviceThatExists() {
    // hw_pagetable.c:iommufd_hwpt_alloc: reserved, then the data, then the device, then the parent
    MemorySegment alloc = hwptOf(-1, NO_OBJECT, NO_OBJECT);
    fails(Errno.ENOENT, ioctl(iommufd, IOMMU_HWPT_ALLOC, alloc));
    iommu_hwpt_alloc.data_len(alloc, 8);
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_HWPT_ALLOC, alloc));
    iommu_hwpt_alloc.__reserved(alloc, 1);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_HWPT_ALLOC, alloc));
  }

  @Test
  void aTypeOfHwptDataWithoutDataIsInvalid() {
    // hw_pagetable.c:iommufd_hwpt_alloc
    MemorySegment alloc = hwptOf(0, NO_OBJECT, NO_OBJECT);
    iommu_hwpt_alloc.data_type(alloc, Iommufd.IOMMU_HWPT_DATA_VTD_S1());
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_HWPT_ALLOC, alloc));
  }

  @Test
  void anIoasIsNoDevice() {
    // main.c:iommufd_get_object: another type is no entry
    int ioas = ioas();
    fails(Errno.ENOENT, ioctl(iommufd, IOMMU_HWPT_ALLOC, hwptOf(0, ioas, ioas)));
  }

  @Test
  void hardwareInfoNeedsADevice() {
    // device.c:iommufd_get_hw_info
    MemorySegment info = sized(iommu_hw_info.layout());
    iommu_hw_info.dev_id(info, NO_OBJECT);
    fails(Errno.ENOENT, ioctl(iommufd, IOMMU_GET_HW_INFO, info));
    iommu_hw_info.flags(info, 2);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_GET_HW_INFO, info));
  }

  @Test
  void dirtyTrackingNeedsAHwptAndKnownFlags() {
    // hw_pagetable.c:iommufd_hwpt_set_dirty_tracking
    MemorySegment set = sized(iommu_hwpt_set_dirty_tracking.layout());
    iommu_hwpt_set_dirty_tracking.hwpt_id(set, ioas());
    fails(Errno.ENOENT, ioctl(iommufd, IOMMU_HWPT_SET_DIRTY_TRACKING, set));
    iommu_hwpt_set_dirty_tracking.flags(set, 2);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_HWPT_SET_DIRTY_TRACKING, set));
  }

  @Test
  void aDirtyBitmapNeedsAHwptAndKnownFlags() {
    // hw_pagetable.c:iommufd_hwpt_get_dirty_bitmap
    MemorySegment get = sized(iommu_hwpt_get_dirty_bitmap.layout());
    iommu_hwpt_get_dirty_bitmap.hwpt_id(get, NO_OBJECT);
    fails(Errno.ENOENT, ioctl(iommufd, IOMMU_HWPT_GET_DIRTY_BITMAP, get));
    iommu_hwpt_get_dirty_bitmap.__reserved(get, 1);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_HWPT_GET_DIRTY_BITMAP, get));
  }

  @Test
  void invalidationChecksReservedThenEntriesThenTheObject() {
    // hw_pagetable.c:iommufd_hwpt_invalidate
    MemorySegment invalidate = sized(iommu_hwpt_invalidate.layout());
    iommu_hwpt_invalidate.hwpt_id(invalidate, NO_OBJECT);
    fails(Errno.ENOENT, ioctl(iommufd, IOMMU_HWPT_INVALIDATE, invalidate));
    iommu_hwpt_invalidate.entry_num(invalidate, 1);
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_HWPT_INVALIDATE, invalidate));
    iommu_hwpt_invalidate.__reserved(invalidate, 1);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_HWPT_INVALIDATE, invalidate));
  }

  @Test
  void aFailedInvalidationTellsThatNothingWasHandled() {
    // hw_pagetable.c:iommufd_hwpt_invalidate: entry_num is written even if it fails
    MemorySegment invalidate = sized(iommu_hwpt_invalidate.layout());
    iommu_hwpt_invalidate.hwpt_id(invalidate, NO_OBJECT);
    iommu_hwpt_invalidate.entry_num(invalidate, 3);
    iommu_hwpt_invalidate.entry_len(invalidate, 16);
    iommu_hwpt_invalidate.data_uptr(invalidate, zeros(48).address());
    fails(Errno.ENOENT, ioctl(iommufd, IOMMU_HWPT_INVALIDATE, invalidate));
    assertThat(iommu_hwpt_invalidate.entry_num(invalidate)).isZero();
  }

  @Test
  void anIoasCanNotBeInvalidated() {
    // hw_pagetable.c:iommufd_hwpt_invalidate: neither nested HWPT nor vIOMMU
    MemorySegment invalidate = sized(iommu_hwpt_invalidate.layout());
    iommu_hwpt_invalidate.hwpt_id(invalidate, ioas());
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_HWPT_INVALIDATE, invalidate));
  }

  @Test
  void aViommuChecksItsTypeBeforeItsDevice() {
    // viommu.c:iommufd_viommu_alloc_ioctl
    MemorySegment alloc = sized(iommu_viommu_alloc.layout());
    iommu_viommu_alloc.dev_id(alloc, NO_OBJECT);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_VIOMMU_ALLOC, alloc));
    iommu_viommu_alloc.type(alloc, 1);
    fails(Errno.ENOENT, ioctl(iommufd, IOMMU_VIOMMU_ALLOC, alloc));
    iommu_viommu_alloc.flags(alloc, 1);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_VIOMMU_ALLOC, alloc));
  }

  @Test
  void aVdeviceNeedsAViommu() {
    // viommu.c:iommufd_vdevice_alloc_ioctl
    MemorySegment alloc = sized(iommu_vdevice_alloc.layout());
    iommu_vdevice_alloc.viommu_id(alloc, ioas());
    fails(Errno.ENOENT, ioctl(iommufd, IOMMU_VDEVICE_ALLOC, alloc));
  }

  @Test
  void anEventQueueNeedsATypeAndAViommu() {
    // eventq.c:iommufd_veventq_alloc
    MemorySegment alloc = sized(iommu_veventq_alloc.layout());
    iommu_veventq_alloc.viommu_id(alloc, NO_OBJECT);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_VEVENTQ_ALLOC, alloc));
    iommu_veventq_alloc.type(alloc, 1);
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_VEVENTQ_ALLOC, alloc));
    iommu_veventq_alloc.veventq_depth(alloc, 1);
    fails(Errno.ENOENT, ioctl(iommufd, IOMMU_VEVENTQ_ALLOC, alloc));
    iommu_veventq_alloc.flags(alloc, 1);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_VEVENTQ_ALLOC, alloc));
  }

  @Test
  void aHardwareQueueNeedsATypeALengthAndAViommu() {
    // viommu.c:iommufd_hw_queue_alloc_ioctl
    MemorySegment alloc = sized(iommu_hw_queue_alloc.layout());
    iommu_hw_queue_alloc.viommu_id(alloc, NO_OBJECT);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_HW_QUEUE_ALLOC, alloc));
    iommu_hw_queue_alloc.type(alloc, 1);
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_HW_QUEUE_ALLOC, alloc));
    iommu_hw_queue_alloc.length(alloc, PAGE);
    fails(Errno.ENOENT, ioctl(iommufd, IOMMU_HW_QUEUE_ALLOC, alloc));
  }

  @Test
  void aPhysicalAddressIsNotToldOfARealIoas() {
    // ioas.c:iommufd_ioas_noiommu_get_pa, or its stand-in without CONFIG_IOMMUFD_NOIOMMU
    MemorySegment get = sized(iommu_ioas_noiommu_get_pa.layout());
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_IOAS_NOIOMMU_GET_PA, shortened(get, 16)));
  }

  @Test
  void anIommufdHasNothingToMapWithoutAQueue() {
    // main.c:iommufd_fops_mmap
    int readWrite = Libc.PROT_READ() | Libc.PROT_WRITE();
    fails(Errno.ENXIO, mmap(iommufd, PAGE, readWrite, Libc.MAP_SHARED(), 0));
    fails(Errno.EINVAL, mmap(iommufd, PAGE, readWrite, Libc.MAP_PRIVATE(), 0));
  }

  @Test
  void anIommufdIsNeitherReadNorWritten() {
    // main.c:iommufd_fops has no read and no write
    fails(Errno.EINVAL, kernel.read(iommufd, zeros(8).address(), 8));
    fails(Errno.EINVAL, kernel.write(iommufd, zeros(8).address(), 8));
  }
}
