package dev.iolite.contract;

import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_ALLOC;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_ALLOW_IOVAS;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_COPY;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_IOVA_RANGES;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_MAP;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_MAP_FILE;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_UNMAP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.iommufd.iommu_ioas_alloc;
import dev.iolite.uapi.iommufd.iommu_ioas_allow_iovas;
import dev.iolite.uapi.iommufd.iommu_ioas_copy;
import dev.iolite.uapi.iommufd.iommu_ioas_iova_ranges;
import dev.iolite.uapi.iommufd.iommu_ioas_map;
import dev.iolite.uapi.iommufd.iommu_ioas_map_file;
import dev.iolite.uapi.iommufd.iommu_ioas_unmap;
import dev.iolite.uapi.iommufd.iommu_iova_range;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** An IOAS that no device is attached to: its map of IOVAs, and who may put what where. */
abstract class IommufdIoasContract extends IommufdContract {
  private static final long LAST_PAGE = -PAGE;
  private static final int UNKNOWN_FLAG = 1 << 3;

  IommufdIoasContract(Backend backend) {
    super(backend);
  }

  @Test
  void idsStartAtOneAndGoUp() {
    // main.c:iommufd_object_alloc: xa_alloc with limit xa_limit_31b
    assertThat(ioas()).isEqualTo(1);
    assertThat(ioas()).isEqualTo(2);
  }

  @Test
  void everyIommufdCountsItsOwnIds() {
    // main.c:iommufd_fops_open
    ioas();
    iommufd = open("/dev/iommu");
    assertThat(ioas()).isEqualTo(1);
  }

  @Test
  void theIdOfADestroyedObjectIsTheNextOneThatIsFree() {
    // main.c:iommufd_object_alloc: the lowest free one
    ioas();
    int second = ioas();
    succeeds(destroy(second));
    assertThat(ioas()).isEqualTo(second);
  }

  @Test
  void anIoasWithFlagsIsNotSupported() {
    // ioas.c:iommufd_ioas_alloc_ioctl
    MemorySegment alloc = sized(iommu_ioas_alloc.layout());
    iommu_ioas_alloc.flags(alloc, 1);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_IOAS_ALLOC, alloc));
  }

  @Test
  void aRefusedAllocationTakesNoId() {
    // ioas.c:iommufd_ioas_alloc_ioctl
    MemorySegment alloc = sized(iommu_ioas_alloc.layout());
    iommu_ioas_alloc.flags(alloc, 1);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_IOAS_ALLOC, alloc));
    assertThat(ioas()).isEqualTo(1);
  }

  @Test
  void aNewIoasTakesEveryByteOfTheSpace() {
    // ioas.c:iommufd_ioas_iova_ranges
    int ioas = ioas();
    assertThat(ranges(ioas)).containsExactly(Range.ALL);
    MemorySegment ranges = rangesOf(ioas, 1, zeros(16));
    succeeds(ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, ranges));
    assertThat(iommu_ioas_iova_ranges.out_iova_alignment(ranges)).isEqualTo(1);
  }

  @Test
  void withoutRoomForTheRangesTheirNumberIsTold() {
    // ioas.c:iommufd_ioas_iova_ranges: the answer is written before EMSGSIZE
    MemorySegment ranges = rangesOf(ioas(), 0, zeros(16));
    fails(Errno.EMSGSIZE, ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, ranges));
    assertThat(iommu_ioas_iova_ranges.num_iovas(ranges)).isEqualTo(1);
    assertThat(iommu_ioas_iova_ranges.out_iova_alignment(ranges)).isEqualTo(1);
  }

  @Test
  void theReservedFieldOfRangesIsLookedAtBeforeTheIoas() {
    // ioas.c:iommufd_ioas_iova_ranges
    MemorySegment ranges = rangesOf(NO_OBJECT, 1, zeros(16));
    fails(Errno.ENOENT, ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, ranges));
    iommu_ioas_iova_ranges.__reserved(ranges, 1);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, ranges));
  }

  @Test
  void rangesThatCanNotBeWrittenAreAFault() {
    // ioas.c:iommufd_ioas_iova_ranges: copy_to_user
    MemorySegment ranges = rangesOf(ioas(), 1, MemorySegment.ofAddress(NOWHERE));
    fails(Errno.EFAULT, ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, ranges));
  }

  @Test
  void aMappingIsUnmappedWholeAndItsBytesAreCounted() {
    // ioas.c:iommufd_ioas_unmap
    int ioas = ioas();
    long ram = ram(2 * PAGE);
    succeeds(map(ioas, USUAL, ram, 2 * PAGE, 0));
    assertThat(unmapped(ioas, 0, 2 * PAGE)).isEqualTo(2 * PAGE);
    fails(Errno.ENOENT, unmap(ioas, 0, 2 * PAGE));
  }

  @Test
  void unmapTakesWhatIsInTheRangeWithHolesBetween() {
    // io_pagetable.c:iopt_unmap_iova_range
    int ioas = ioas();
    long ram = ram(PAGE);
    succeeds(map(ioas, USUAL, ram, PAGE, 0x10000));
    succeeds(map(ioas, USUAL, ram, PAGE, 0x30000));
    assertThat(unmapped(ioas, 0x8000, 0x40000)).isEqualTo(2 * PAGE);
  }

  @Test
  void theFrontOfAMappingIsNotCutOff() {
    // io_pagetable.c:iopt_unmap_iova_range
    int ioas = ioas();
    succeeds(map(ioas, USUAL, ram(2 * PAGE), 2 * PAGE, 0x10000));
    fails(Errno.ENOENT, unmap(ioas, 0x10000, PAGE));
    assertThat(unmapped(ioas, 0, U64_MAX)).isEqualTo(2 * PAGE);
  }

  @Test
  void theEndOfAMappingIsNotCutOff() {
    // io_pagetable.c:iopt_unmap_iova_range
    int ioas = ioas();
    succeeds(map(ioas, USUAL, ram(2 * PAGE), 2 * PAGE, 0x10000));
    fails(Errno.ENOENT, unmap(ioas, 0x11000, PAGE));
    assertThat(unmapped(ioas, 0, U64_MAX)).isEqualTo(2 * PAGE);
  }

  @Test
  void aCutThatIsRefusedHasTakenWhatCameBeforeIt() {
    // io_pagetable.c:iopt_unmap_iova_range: whole areas go until the cut one is met
    int ioas = ioas();
    long ram = ram(2 * PAGE);
    succeeds(map(ioas, USUAL, ram, PAGE, 0x10000));
    succeeds(map(ioas, USUAL, ram, 2 * PAGE, 0x20000));
    fails(Errno.ENOENT, unmap(ioas, 0x10000, 0x11000));
    assertThat(unmapped(ioas, 0, U64_MAX)).isEqualTo(2 * PAGE);
  }

  @Test
  void aRefusedUnmapLeavesItsArgumentAsItWas() {
    // ioas.c:iommufd_ioas_unmap: iommufd_ucmd_respond only on success
    MemorySegment unmap = unmapOf(ioas(), 0x10000, PAGE);
    fails(Errno.ENOENT, ioctl(iommufd, IOMMU_IOAS_UNMAP, unmap));
    assertThat(iommu_ioas_unmap.length(unmap)).isEqualTo(PAGE);
  }

  @Test
  void allOfAnEmptyIoasIsUnmappedWithSuccess() {
    // io_pagetable.c:iopt_unmap_all
    assertThat(unmapped(ioas(), 0, U64_MAX)).isZero();
  }

  @Test
  void allButTheLastByteOfAnEmptyIoasIsNotThere() {
    // ioas.c:iommufd_ioas_unmap: only (0, U64_MAX) is everything
    fails(Errno.ENOENT, unmap(ioas(), 0, U64_MAX - 1));
  }

  @Test
  void unmapOfNoBytesIsInvalid() {
    // io_pagetable.c:iopt_unmap_iova
    fails(Errno.EINVAL, unmap(ioas(), 0x10000, 0));
  }

  @Test
  void unmapBeyondTheSpaceOverflows() {
    // io_pagetable.c:iopt_unmap_iova: check_add_overflow
    int ioas = ioas();
    fails(Errno.EOVERFLOW, unmap(ioas, LAST_PAGE, 2 * PAGE));
    fails(Errno.EOVERFLOW, unmap(ioas, 1, U64_MAX));
    fails(Errno.EOVERFLOW, unmap(ioas, U64_MAX, 1));
  }

  @Test
  void unmapLooksForTheIoasFirst() {
    // ioas.c:iommufd_ioas_unmap
    fails(Errno.ENOENT, unmap(NO_OBJECT, 1, U64_MAX));
  }

  @Test
  void unknownMapFlagsAreNotSupportedAndComeFirst() {
    // ioas.c:iommufd_ioas_map: before the address, the access and the IOAS
    fails(Errno.EOPNOTSUPP, map(NO_OBJECT, UNKNOWN_FLAG, 0, U64_MAX, U64_MAX));
  }

  @Test
  void theReservedFieldOfMapIsNotSupported() {
    // ioas.c:iommufd_ioas_map
    MemorySegment map = mapOf(ioas(), USUAL, ram(PAGE), PAGE, 0);
    iommu_ioas_map.__reserved(map, 1);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_IOAS_MAP, map));
  }

  @Test
  void mapAtTheVeryLastByteOverflowsBeforeItsAccessIsLookedAt() {
    // ioas.c:iommufd_ioas_map: iova or length of ULONG_MAX
    fails(Errno.EOVERFLOW, map(NO_OBJECT, FIXED, 0, PAGE, U64_MAX));
    fails(Errno.EOVERFLOW, map(NO_OBJECT, FIXED, 0, U64_MAX, 0));
  }

  @Test
  void mapThatAllowsNothingIsInvalidBeforeTheIoasIsLookedFor() {
    // ioas.c:iommufd_ioas_map
    fails(Errno.EINVAL, map(NO_OBJECT, FIXED, 0, PAGE, 0));
  }

  @Test
  void mapIntoNoIoasFindsNoEntry() {
    // main.c:iommufd_get_object
    fails(Errno.ENOENT, map(NO_OBJECT, USUAL, ram(PAGE), PAGE, 0));
    fails(Errno.ENOENT, map(0, USUAL, ram(PAGE), PAGE, 0));
  }

  @Test
  void mapOfNoBytesIsInvalid() {
    // io_pagetable.c:iopt_alloc_area_pages
    fails(Errno.EINVAL, map(ioas(), USUAL, ram(PAGE), 0, 0x10000));
  }

  @Test
  void mapBeyondTheSpaceOverflows() {
    // io_pagetable.c:iopt_insert_area or __iopt_check_iova
    fails(Errno.EOVERFLOW, map(ioas(), USUAL, ram(2 * PAGE), 2 * PAGE, LAST_PAGE));
  }

  @Test
  void mapOfMemoryThatWrapsOverflows() {
    // pages.c:iopt_alloc_user_pages or iopt_alloc_pages
    fails(Errno.EOVERFLOW, map(ioas(), USUAL, -PAGE, 2 * PAGE, 0));
  }

  @Test
  void theLastPageOfTheSpaceCanBeMapped() {
    // io_pagetable.c:iopt_check_iova
    int ioas = ioas();
    succeeds(map(ioas, USUAL, ram(PAGE), PAGE, LAST_PAGE));
    assertThat(unmapped(ioas, 0, U64_MAX)).isEqualTo(PAGE);
  }

  @Test
  void theFirstPageOfTheSpaceCanBeMapped() {
    // io_pagetable.c:iopt_check_iova
    int ioas = ioas();
    succeeds(map(ioas, USUAL, ram(PAGE), PAGE, 0));
    assertThat(unmapped(ioas, 0, PAGE)).isEqualTo(PAGE);
  }

  @Test
  void aSingleByteCanBeMappedWhereNoDeviceIs() {
    // io_pagetable.c:iopt_alloc_area_pages: the alignment is 1
    int ioas = ioas();
    succeeds(map(ioas, USUAL, ram(PAGE) + 3, 1, 0x10005));
    assertThat(unmapped(ioas, 0x10005, 1)).isEqualTo(1);
  }

  @Test
  void memoryIsNotLookedAtWhereNoDeviceIs() {
    // io_pagetable.c:iopt_fill_domains_pages has nothing to fill
    int ioas = ioas();
    succeeds(map(ioas, USUAL, NOWHERE, PAGE, 0x10000));
    assertThat(unmapped(ioas, 0x10000, PAGE)).isEqualTo(PAGE);
  }

  @Test
  void oneByteOfOverlapExists() {
    // io_pagetable.c:iopt_check_iova
    int ioas = ioas();
    long ram = ram(2 * PAGE);
    succeeds(map(ioas, USUAL, ram, PAGE, 0x10000));
    fails(Errno.EEXIST, map(ioas, USUAL, ram, PAGE, 0x10fff));
    fails(Errno.EEXIST, map(ioas, USUAL, ram, 2, 0xffff));
    succeeds(map(ioas, USUAL, ram, PAGE, 0x11000));
    succeeds(map(ioas, USUAL, ram, 1, 0xffff));
  }

  @Test
  void aRefusedMapLeavesNothing() {
    // io_pagetable.c:iopt_map_common
    int ioas = ioas();
    long ram = ram(2 * PAGE);
    succeeds(map(ioas, USUAL, ram, PAGE, 0x11000));
    fails(Errno.EEXIST, map(ioas, USUAL, ram, 2 * PAGE, 0x10000));
    assertThat(unmapped(ioas, 0, U64_MAX)).isEqualTo(PAGE);
  }

  @Test
  void theSameMemoryCanBeMappedTwice() {
    // io_pagetable.c:iopt_map_user_pages: an iopt_pages of its own for each
    int ioas = ioas();
    long ram = ram(PAGE);
    succeeds(map(ioas, USUAL, ram, PAGE, 0x10000));
    succeeds(map(ioas, FIXED | READ, ram, PAGE, 0x20000));
    assertThat(unmapped(ioas, 0, U64_MAX)).isEqualTo(2 * PAGE);
  }

  @Test
  void theKernelChoosesAnAddressThatIsNotZeroAndAsAlignedAsTheMemory() {
    // io_pagetable.c:iopt_alloc_iova: PAGE_SIZE is the lowest it gives
    int ioas = ioas();
    long first = mapAnywhere(ioas, ram(2 * PAGE), 2 * PAGE);
    long second = mapAnywhere(ioas, ram(2 * PAGE), 2 * PAGE);
    assertThat(first).isNotZero();
    assertThat(first % PAGE).isZero();
    assertThat(second).isNotEqualTo(first);
    assertThat(unmapped(ioas, first, 2 * PAGE)).isEqualTo(2 * PAGE);
    assertThat(unmapped(ioas, second, 2 * PAGE)).isEqualTo(2 * PAGE);
  }

  @Test
  void theAddressTheKernelChoosesKeepsTheOffsetInThePage() {
    // io_pagetable.c:iopt_alloc_iova: the address is congruent to the memory's
    int ioas = ioas();
    long iova = mapAnywhere(ioas, ram(PAGE) + 0x123, 0x100);
    assertThat(iova % PAGE).isEqualTo(0x123);
  }

  @Test
  void theKernelChoosesInsideTheAllowedRangesAndSaysWhenTheyAreFull() {
    // io_pagetable.c:iopt_alloc_iova
    int ioas = ioas();
    succeeds(allow(ioas, new Range(0x100000, 0x101fff)));
    long ram = ram(2 * PAGE);
    assertThat(mapAnywhere(ioas, ram, 2 * PAGE)).isEqualTo(0x100000);
    fails(Errno.ENOSPC, map(ioas, READ | WRITE, ram, PAGE, 0));
  }

  @Test
  void aFixedMapMayLieOutsideTheAllowedRanges() {
    // io_pagetable.c:iopt_check_iova: allowed ranges only guide the choice
    int ioas = ioas();
    succeeds(allow(ioas, new Range(0x100000, 0x101fff)));
    succeeds(map(ioas, USUAL, ram(PAGE), PAGE, 0x200000));
  }

  @Test
  void noAllowedRangesMeanAllOfThem() {
    // io_pagetable.c:iopt_set_allow_iova with an empty tree
    int ioas = ioas();
    succeeds(allow(ioas, new Range(0x100000, 0x100fff)));
    succeeds(allow(ioas));
    long ram = ram(2 * PAGE);
    mapAnywhere(ioas, ram, 2 * PAGE);
  }

  @Test
  void allowedRangesDoNotNarrowWhatRangesTells() {
    // ioas.c:iommufd_ioas_iova_ranges reads the reserved ranges only
    int ioas = ioas();
    succeeds(allow(ioas, new Range(0x100000, 0x101fff)));
    assertThat(ranges(ioas)).containsExactly(Range.ALL);
  }

  @Test
  void anAllowedRangeMustHaveTwoBytesAtLeast() {
    // ioas.c:iommufd_ioas_load_iovas: start >= last
    int ioas = ioas();
    fails(Errno.EINVAL, allow(ioas, new Range(5, 5)));
    fails(Errno.EINVAL, allow(ioas, new Range(6, 5)));
  }

  @Test
  void allowedRangesMustNotOverlap() {
    // ioas.c:iommufd_ioas_load_iovas
    fails(Errno.EINVAL, allow(ioas(), new Range(0, 0x1fff), new Range(0x1000, 0x2fff)));
  }

  @Test
  void allowedRangesThatCanNotBeReadAreAFault() {
    // ioas.c:iommufd_ioas_load_iovas: copy_from_user
    MemorySegment allow = sized(iommu_ioas_allow_iovas.layout());
    iommu_ioas_allow_iovas.ioas_id(allow, ioas());
    iommu_ioas_allow_iovas.num_iovas(allow, 1);
    iommu_ioas_allow_iovas.allowed_iovas(allow, NOWHERE);
    fails(Errno.EFAULT, ioctl(iommufd, IOMMU_IOAS_ALLOW_IOVAS, allow));
  }

  @Test
  void theReservedFieldOfAllowIsLookedAtBeforeTheIoas() {
    // ioas.c:iommufd_ioas_allow_iovas
    MemorySegment allow = sized(iommu_ioas_allow_iovas.layout());
    iommu_ioas_allow_iovas.ioas_id(allow, NO_OBJECT);
    fails(Errno.ENOENT, ioctl(iommufd, IOMMU_IOAS_ALLOW_IOVAS, allow));
    iommu_ioas_allow_iovas.__reserved(allow, 1);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_IOAS_ALLOW_IOVAS, allow));
  }

  @Test
  void aRefusedListOfAllowedRangesChangesNothing() {
    // ioas.c:iommufd_ioas_allow_iovas: the new tree replaces the old one whole
    int ioas = ioas();
    succeeds(allow(ioas, new Range(0x100000, 0x100fff)));
    fails(Errno.EINVAL, allow(ioas, new Range(0, 0xfffff), new Range(7, 7)));
    assertThat(mapAnywhere(ioas, ram(PAGE), PAGE)).isEqualTo(0x100000);
  }

  private int allow(int ioas, Range... ranges) {
    MemorySegment allow = sized(iommu_ioas_allow_iovas.layout());
    iommu_ioas_allow_iovas.ioas_id(allow, ioas);
    iommu_ioas_allow_iovas.num_iovas(allow, ranges.length);
    iommu_ioas_allow_iovas.allowed_iovas(allow, arrayOf(ranges).address());
    return ioctl(iommufd, IOMMU_IOAS_ALLOW_IOVAS, allow);
  }

  @Test
  void copyMapsTheSameMemoryInAnotherIoas() {
    // ioas.c:iommufd_ioas_copy
    int from = ioas();
    int to = ioas();
    succeeds(map(from, USUAL, ram(2 * PAGE), 2 * PAGE, 0x10000));
    succeeds(copy(to, USUAL, 0x50000, from, 0x10000, 2 * PAGE));
    assertThat(unmapped(to, 0x50000, 2 * PAGE)).isEqualTo(2 * PAGE);
    assertThat(unmapped(from, 0x10000, 2 * PAGE)).isEqualTo(2 * PAGE);
  }

  @Test
  void copyTakesAPartOfAMapping() {
    // io_pagetable.c:iopt_get_pages
    int from = ioas();
    int to = ioas();
    succeeds(map(from, USUAL, ram(4 * PAGE), 4 * PAGE, 0x10000));
    succeeds(copy(to, USUAL, 0, from, 0x11000, 2 * PAGE));
    assertThat(unmapped(to, 0, U64_MAX)).isEqualTo(2 * PAGE);
  }

  @Test
  void copyOfTwoMappingsThatTouchMakesTwo() {
    // io_pagetable.c:iopt_get_pages: iopt_for_each_contig_area
    int from = ioas();
    int to = ioas();
    long ram = ram(2 * PAGE);
    succeeds(map(from, USUAL, ram, PAGE, 0x10000));
    succeeds(map(from, USUAL, ram, PAGE, 0x11000));
    succeeds(copy(to, USUAL, 0, from, 0x10000, 2 * PAGE));
    assertThat(unmapped(to, 0, PAGE)).isEqualTo(PAGE);
    assertThat(unmapped(to, PAGE, PAGE)).isEqualTo(PAGE);
  }

  @Test
  void copyOfARangeWithAHoleFindsNoEntry() {
    // io_pagetable.c:iopt_get_pages: iopt_area_contig_done
    int from = ioas();
    long ram = ram(2 * PAGE);
    succeeds(map(from, USUAL, ram, PAGE, 0x10000));
    succeeds(map(from, USUAL, ram, PAGE, 0x12000));
    fails(Errno.ENOENT, copy(ioas(), USUAL, 0, from, 0x10000, 3 * PAGE));
    fails(Errno.ENOENT, copy(ioas(), USUAL, 0, from, 0x20000, PAGE));
  }

  @Test
  void copyWithinAnIoasOverlapsWhatIsThere() {
    // io_pagetable.c:iopt_map_pages
    int ioas = ioas();
    succeeds(map(ioas, USUAL, ram(2 * PAGE), 2 * PAGE, 0x10000));
    fails(Errno.EEXIST, copy(ioas, USUAL, 0x11000, ioas, 0x10000, PAGE));
    succeeds(copy(ioas, USUAL, 0x12000, ioas, 0x10000, PAGE));
  }

  @Test
  void copyWhereTheKernelLikesTellsWhere() {
    // ioas.c:iommufd_ioas_copy
    int from = ioas();
    int to = ioas();
    succeeds(map(from, USUAL, ram(PAGE), PAGE, 0x10000));
    MemorySegment copy = copyOf(to, READ | WRITE, 0, from, 0x10000, PAGE);
    succeeds(ioctl(iommufd, IOMMU_IOAS_COPY, copy));
    long iova = iommu_ioas_copy.dst_iova(copy);
    assertThat(iova).isNotZero();
    assertThat(unmapped(to, iova, PAGE)).isEqualTo(PAGE);
  }

  @Test
  void memoryMappedForReadingIsNotCopiedForWriting() {
    // pages.c: an iopt_pages that is not writable; io_pagetable.c:iopt_insert_area
    int from = ioas();
    succeeds(map(from, FIXED | READ, ram(PAGE), PAGE, 0x10000));
    fails(Errno.EPERM, copy(ioas(), USUAL, 0, from, 0x10000, PAGE));
    succeeds(copy(ioas(), FIXED | READ, 0, from, 0x10000, PAGE));
  }

  @Test
  void copyChecksItsFlagsThenItsNumbersThenItsAccess() {
    // ioas.c:iommufd_ioas_copy
    fails(Errno.EOPNOTSUPP, copy(NO_OBJECT, UNKNOWN_FLAG, U64_MAX, NO_OBJECT, 0, PAGE));
    fails(Errno.EOVERFLOW, copy(NO_OBJECT, FIXED, U64_MAX, NO_OBJECT, 0, PAGE));
    fails(Errno.EOVERFLOW, copy(NO_OBJECT, FIXED, 0, NO_OBJECT, U64_MAX, PAGE));
    fails(Errno.EOVERFLOW, copy(NO_OBJECT, FIXED, 0, NO_OBJECT, 0, U64_MAX));
    fails(Errno.EINVAL, copy(NO_OBJECT, FIXED, 0, NO_OBJECT, 0, PAGE));
    fails(Errno.ENOENT, copy(NO_OBJECT, USUAL, 0, NO_OBJECT, 0, PAGE));
  }

  @Test
  void copyLooksAtItsSourceBeforeItsDestination() {
    // ioas.c:iommufd_ioas_copy: the source's pages come first
    int from = ioas();
    fails(Errno.EINVAL, copy(NO_OBJECT, USUAL, 0, from, 0, 0));
    fails(Errno.EOVERFLOW, copy(NO_OBJECT, USUAL, 0, from, LAST_PAGE, 2 * PAGE));
    fails(Errno.ENOENT, copy(NO_OBJECT, USUAL, 0, from, 0, PAGE));
    succeeds(map(from, USUAL, ram(PAGE), PAGE, 0));
    fails(Errno.ENOENT, copy(NO_OBJECT, USUAL, 0, from, 0, PAGE));
  }

  @Test
  void aMemfdIsMappedAtAnOffset() {
    // ioas.c:iommufd_ioas_map_file
    int ioas = ioas();
    int memfd = memfd(4 * PAGE);
    MemorySegment map = mapFileOf(ioas, READ | WRITE, memfd, PAGE, 2 * PAGE, 0);
    succeeds(ioctl(iommufd, IOMMU_IOAS_MAP_FILE, map));
    long iova = iommu_ioas_map_file.iova(map);
    assertThat(iova % PAGE).isZero();
    assertThat(unmapped(ioas, iova, 2 * PAGE)).isEqualTo(2 * PAGE);
  }

  @Test
  void aMappedFileMayBeClosed() {
    // pages.c:iopt_alloc_file_pages: get_file
    int ioas = ioas();
    int memfd = memfd(PAGE);
    succeeds(mapFile(ioas, USUAL, memfd, 0, PAGE, 0x10000));
    close(memfd);
    assertThat(unmapped(ioas, 0x10000, PAGE)).isEqualTo(PAGE);
  }

  @Test
  void theEndOfAFileIsNotLookedAtWhereNoDeviceIs() {
    // io_pagetable.c:iopt_map_file_pages
    succeeds(mapFile(ioas(), USUAL, memfd(PAGE), 0x100000, PAGE, 0x10000));
  }

  @Test
  void anyFileIsTakenWhereNoDeviceIs() {
    // io_pagetable.c:iopt_map_file_pages: fget, and no look at what it is
    succeeds(mapFile(ioas(), USUAL, eventfd(), 0, PAGE, 0x10000));
    succeeds(mapFile(ioas(), USUAL, iommufd, 0, PAGE, 0x10000));
  }

  @Test
  void mapFileOfNoFileIsABadDescriptor() {
    // io_pagetable.c:iopt_map_file_pages: fget
    fails(Errno.EBADF, mapFile(ioas(), USUAL, NO_FD, 0, PAGE, 0x10000));
  }

  @Test
  void mapFileOfNoBytesIsInvalidBeforeTheFileIsLookedFor() {
    // io_pagetable.c:iopt_map_file_pages
    fails(Errno.EINVAL, mapFile(ioas(), USUAL, NO_FD, 0, 0, 0x10000));
  }

  @Test
  void mapFileBeyondTheLastOffsetOverflowsBeforeTheFileIsLookedFor() {
    // io_pagetable.c:iopt_map_file_pages: check_add_overflow
    fails(Errno.EOVERFLOW, mapFile(ioas(), USUAL, NO_FD, -PAGE, 2 * PAGE, 0x10000));
  }

  @Test
  void mapFileChecksFlagsThenNumbersThenAccessThenIoas() {
    // ioas.c:iommufd_ioas_map_file
    fails(Errno.EOPNOTSUPP, mapFile(NO_OBJECT, UNKNOWN_FLAG, NO_FD, 0, PAGE, U64_MAX));
    fails(Errno.EOVERFLOW, mapFile(NO_OBJECT, FIXED, NO_FD, 0, PAGE, U64_MAX));
    fails(Errno.EOVERFLOW, mapFile(NO_OBJECT, FIXED, NO_FD, 0, U64_MAX, 0));
    fails(Errno.EINVAL, mapFile(NO_OBJECT, FIXED, NO_FD, 0, PAGE, 0));
    fails(Errno.ENOENT, mapFile(NO_OBJECT, USUAL, NO_FD, 0, 0, 0));
  }

  @Test
  void mapFileOverlapExists() {
    // io_pagetable.c:iopt_check_iova
    int ioas = ioas();
    succeeds(map(ioas, USUAL, ram(PAGE), PAGE, 0x10000));
    fails(Errno.EEXIST, mapFile(ioas, USUAL, memfd(PAGE), 0, PAGE, 0x10000));
  }

  @Test
  void theAddressChosenForAFileKeepsTheOffsetInThePage() {
    // io_pagetable.c:iopt_alloc_area_pages: start_byte of the file
    int ioas = ioas();
    MemorySegment map = mapFileOf(ioas, READ, memfd(2 * PAGE), 0x234, 0x100, 0);
    succeeds(ioctl(iommufd, IOMMU_IOAS_MAP_FILE, map));
    assertThat(iommu_ioas_map_file.iova(map) % PAGE).isEqualTo(0x234);
  }

  @Test
  void aMappedIoasIsDestroyedWithItsMappings() {
    // ioas.c:iommufd_ioas_destroy
    int ioas = ioas();
    succeeds(map(ioas, USUAL, ram(PAGE), PAGE, 0));
    succeeds(destroy(ioas));
    fails(Errno.ENOENT, unmap(ioas, 0, PAGE));
  }

  @Test
  void rangesAreWrittenInOrderOfTheirAddresses() {
    // ioas.c:iommufd_ioas_iova_ranges: and no more than there is room for
    int ioas = ioas();
    MemorySegment into = zeros(2 * iommu_iova_range.sizeof());
    MemorySegment ranges = rangesOf(ioas, 2, into);
    succeeds(ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, ranges));
    assertThat(iommu_ioas_iova_ranges.num_iovas(ranges)).isEqualTo(1);
    assertThat(read(into, 2)).containsExactly(Range.ALL, new Range(0, 0));
  }
}
