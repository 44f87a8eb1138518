package dev.iolite.contract;

import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_GROUP_UNSET_CONTAINER;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_IOMMU_DIRTY_PAGES;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_IOMMU_GET_INFO;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_IOMMU_MAP_DMA;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_IOMMU_UNMAP_DMA;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_bitmap;
import dev.iolite.uapi.vfio.vfio_info_cap_header;
import dev.iolite.uapi.vfio.vfio_iommu_type1_dirty_bitmap;
import dev.iolite.uapi.vfio.vfio_iommu_type1_dirty_bitmap_get;
import dev.iolite.uapi.vfio.vfio_iommu_type1_info;
import dev.iolite.uapi.vfio.vfio_iommu_type1_info_cap_iova_range;
import dev.iolite.uapi.vfio.vfio_iommu_type1_info_cap_migration;
import dev.iolite.uapi.vfio.vfio_iommu_type1_info_dma_avail;
import dev.iolite.uapi.vfio.vfio_iova_range;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The IOMMU of a container: what is mapped, where, and which pages were written. */
abstract class VfioType1Contract extends VfioContainerContract {
  private static final long IOVA = 0x10_0000;
  private static final int ADDRESS = Vfio.VFIO_DMA_UNMAP_FLAG_VADDR();
  private static final int NEW_ADDRESS = Vfio.VFIO_DMA_MAP_FLAG_VADDR();
  private static final int WITH_BITMAP = Vfio.VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP();
  private static final int START = Vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_START();
  private static final int STOP = Vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP();
  private static final int GET = Vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP();

  private int group = NO_FD;
  private int container = NO_FD;

  VfioType1Contract(Backend backend) {
    super(backend, Backend.EDU);
  }

  @BeforeEach
  void makeContainer() {
    group = group();
    container = containerOf(group, TYPE1_V2);
  }

  /** The same group in a container of the first version. */
  private void takeVersion1() {
    close(container);
    succeeds(ioctl(group, VFIO_GROUP_UNSET_CONTAINER, 0));
    container = containerOf(group, TYPE1);
  }

  private int enabled() {
    int device = device(group);
    setCommand(device, MEMORY | MASTER);
    return device;
  }

  private MemorySegment capability(int id) {
    return Objects.requireNonNull(capabilities(info(container)).get(id));
  }

  private int available() {
    return vfio_iommu_type1_info_dma_avail.avail(
        capability(Vfio.VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL()));
  }

  private List<Range> iovaRanges() {
    MemorySegment cap = capability(Vfio.VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE());
    List<Range> ranges = new ArrayList<>();
    for (int i = 0; i < vfio_iommu_type1_info_cap_iova_range.nr_iovas(cap); i++) {
      MemorySegment range =
          cap.asSlice(vfio_iommu_type1_info_cap_iova_range.sizeof() + i * vfio_iova_range.sizeof());
      ranges.add(new Range(vfio_iova_range.start(range), vfio_iova_range.end(range)));
    }
    return ranges;
  }

  // -- VFIO_IOMMU_GET_INFO

  @Test
  void infoTellsPageSizesAndThreeCapabilities() {
    // vfio_iommu_type1.c:vfio_iommu_type1_get_info
    MemorySegment info = info(container);
    assertThat(vfio_iommu_type1_info.argsz(info)).isEqualTo(4096);
    assertThat(vfio_iommu_type1_info.flags(info))
        .isEqualTo(Vfio.VFIO_IOMMU_INFO_PGSIZES() | Vfio.VFIO_IOMMU_INFO_CAPS());
    assertThat(vfio_iommu_type1_info.iova_pgsizes(info)).isEqualTo(0x4020_1000);
    assertThat(vfio_iommu_type1_info.cap_offset(info)).isEqualTo(24);
    Map<Integer, MemorySegment> capabilities = capabilities(info);
    assertThat(capabilities)
        .containsOnlyKeys(
            Vfio.VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE(),
            Vfio.VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION(),
            Vfio.VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL());
    assertThat(capabilities.values()).allMatch(cap -> vfio_info_cap_header.version(cap) == 1);
    MemorySegment migration = capability(Vfio.VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION());
    assertThat(vfio_iommu_type1_info_cap_migration.flags(migration)).isZero();
    assertThat(vfio_iommu_type1_info_cap_migration.pgsize_bitmap(migration)).isEqualTo(PAGE);
    assertThat(vfio_iommu_type1_info_cap_migration.max_dirty_bitmap_size(migration))
        .isEqualTo(256 << 20);
  }

  @Test
  void infoTellsWhatCanBeMapped() {
    // intel/iommu.c: an aperture of 39 bits with a hole for interrupts
    assertThat(iovaRanges())
        .containsExactly(new Range(0, 0xfedf_ffffL), new Range(0xfef0_0000L, 0x7f_ffff_ffffL));
  }

  @Test
  void infoWithoutRoomTellsHowMuchIsNeeded() {
    // vfio_iommu_type1.c:vfio_iommu_type1_get_info
    MemorySegment info = sized(4096);
    fails(Errno.EINVAL, ioctl(container, VFIO_IOMMU_GET_INFO, shortened(info, 15)));
    succeeds(ioctl(container, VFIO_IOMMU_GET_INFO, shortened(info, 16)));
    int needed = vfio_iommu_type1_info.argsz(info);
    assertThat(needed).isEqualTo(24 + 32 + 16 + 16 + 2 * 16);
    assertThat(vfio_iommu_type1_info.cap_offset(info)).isZero();
    succeeds(ioctl(container, VFIO_IOMMU_GET_INFO, shortened(info, needed - 1)));
    assertThat(vfio_iommu_type1_info.argsz(info)).isEqualTo(needed);
    assertThat(vfio_iommu_type1_info.cap_offset(info)).isZero();
    succeeds(ioctl(container, VFIO_IOMMU_GET_INFO, info));
    assertThat(vfio_iommu_type1_info.cap_offset(info)).isEqualTo(24);
  }

  @Test
  void eachMappingCounts() {
    // vfio_iommu_type1.c: dma_avail
    assertThat(available()).isEqualTo(65_535);
    succeeds(dmaMap(container, MAP_BOTH, 0, ram(2 * PAGE), 2 * PAGE));
    assertThat(available()).isEqualTo(65_534);
    succeeds(dmaUnmap(container, 0, 0, 2 * PAGE));
    assertThat(available()).isEqualTo(65_535);
  }

  // -- VFIO_IOMMU_MAP_DMA

  @Test
  void mapWantsItsStructAndKnownFlags() {
    // vfio_iommu_type1.c:vfio_iommu_type1_map_dma
    long ram = ram(PAGE);
    MemorySegment map = dmaMapOf(MAP_BOTH, 0, ram, PAGE);
    fails(Errno.EINVAL, ioctl(container, VFIO_IOMMU_MAP_DMA, shortened(map, 31)));
    fails(Errno.EFAULT, ioctl(container, VFIO_IOMMU_MAP_DMA, NOWHERE));
    fails(Errno.EINVAL, dmaMap(container, MAP_BOTH | 8, 0, ram, PAGE));
    fails(Errno.EINVAL, dmaMap(container, 0, 0, ram, PAGE));
    fails(Errno.EINVAL, dmaMap(container, MAP_READ | NEW_ADDRESS, 0, ram, PAGE));
    succeeds(ioctl(container, VFIO_IOMMU_MAP_DMA, withTail(map, 8, 1)));
  }

  @Test
  void mapChecksTheRangeBeforeTheFlags() {
    // vfio_iommu_type1.c:vfio_dma_do_map
    long ram = ram(PAGE);
    fails(Errno.EINVAL, dmaMap(container, MAP_BOTH, 0, ram, 0));
    fails(Errno.EOVERFLOW, dmaMap(container, 0, -PAGE, ram, 2 * PAGE));
    fails(Errno.EOVERFLOW, dmaMap(container, 0, 0, -PAGE, 2 * PAGE));
    fails(Errno.EINVAL, dmaMap(container, MAP_BOTH, 1, ram, PAGE));
    fails(Errno.EINVAL, dmaMap(container, MAP_BOTH, 0, ram + 1, PAGE));
    fails(Errno.EINVAL, dmaMap(container, MAP_BOTH, 0, ram, PAGE - 1));
  }

  @Test
  void whatIsMappedIsNotMappedAgain() {
    // vfio_iommu_type1.c:vfio_dma_do_map: vfio_find_dma
    long ram = ram(4 * PAGE);
    succeeds(dmaMap(container, MAP_BOTH, PAGE, ram, 2 * PAGE));
    fails(Errno.EEXIST, dmaMap(container, MAP_BOTH, PAGE, ram, PAGE));
    fails(Errno.EEXIST, dmaMap(container, MAP_BOTH, 0, ram, 4 * PAGE));
    fails(Errno.EEXIST, dmaMap(container, MAP_READ, 2 * PAGE, ram, PAGE));
    succeeds(dmaMap(container, MAP_READ, 0, ram, PAGE));
    succeeds(dmaMap(container, MAP_READ, 3 * PAGE, ram, PAGE));
  }

  @Test
  void whatCanNotBeMappedIsInvalid() {
    // vfio_iommu_type1.c:vfio_iommu_iova_dma_valid
    long ram = ram(2 * PAGE);
    fails(Errno.EINVAL, dmaMap(container, MAP_BOTH, 0xfee0_0000L, ram, PAGE));
    fails(Errno.EINVAL, dmaMap(container, MAP_BOTH, 0xfee0_0000L - PAGE, ram, 2 * PAGE));
    fails(Errno.EINVAL, dmaMap(container, MAP_BOTH, 1L << 39, ram, PAGE));
    fails(Errno.EINVAL, dmaMap(container, MAP_BOTH, (1L << 39) - PAGE, ram, 2 * PAGE));
    fails(Errno.EINVAL, dmaMap(container, MAP_BOTH, -PAGE, ram, PAGE));
    succeeds(dmaMap(container, MAP_BOTH, 0xfee0_0000L - PAGE, ram, PAGE));
    succeeds(dmaMap(container, MAP_BOTH, (1L << 39) - PAGE, ram, PAGE));
  }

  @Test
  void onlyMemoryThatMayBeAccessedSoIsMapped() {
    // vfio_iommu_type1.c:vaddr_get_pfns: FOLL_WRITE
    fails(Errno.EFAULT, dmaMap(container, MAP_BOTH, 0, unmappedAddress(PAGE), PAGE));
    fails(Errno.EFAULT, dmaMap(container, MAP_READ, 0, memory(PAGE, 0), PAGE));
    long readable = memory(PAGE, Libc.PROT_READ());
    fails(Errno.EFAULT, dmaMap(container, MAP_BOTH, 0, readable, PAGE));
    succeeds(dmaMap(container, MAP_READ, 0, readable, PAGE));
    fails(Errno.EFAULT, dmaMap(container, MAP_BOTH, PAGE, endOfMemory() - PAGE, 2 * PAGE));
    assertThat(available()).isEqualTo(65_534);
  }

  @Test
  void aBarIsMappedWhileItIsThere() {
    // vfio_iommu_type1.c:follow_fault_pfn; vfio_pci_core.c:vfio_pci_mmap_huge_fault
    int device = enabled();
    int both = Libc.PROT_READ() | Libc.PROT_WRITE();
    long bar = mapped(mmap(device, EDU_BYTES, both, Libc.MAP_SHARED(), 0), EDU_BYTES);
    succeeds(dmaMap(container, MAP_BOTH, IOVA, bar, EDU_BYTES));
    setCommand(device, 0);
    fails(Errno.EFAULT, dmaMap(container, MAP_BOTH, 2 * IOVA, bar, EDU_BYTES));
  }

  // -- DMA

  @Test
  void theDeviceReachesWhatIsMapped() {
    // vfio_iommu_type1.c:vfio_iommu_map
    int device = enabled();
    long ram = ram(2 * PAGE);
    succeeds(dmaMap(container, MAP_BOTH, IOVA, ram, 2 * PAGE));
    setValue(ram + 8, 0x1122_3344_5566_7788L);
    copy(device, IOVA + 8, IOVA + PAGE + 16);
    assertThat(value(ram + PAGE + 16)).isEqualTo(0x1122_3344_5566_7788L);
  }

  @Test
  void itDoesNotWriteWhatIsMappedForReading() {
    // intel/iommu.c: DMA_PTE_WRITE is not set
    int device = enabled();
    long ram = ram(PAGE);
    long readOnly = ram(PAGE);
    succeeds(dmaMap(container, MAP_BOTH, IOVA, ram, PAGE));
    succeeds(dmaMap(container, MAP_READ, 2 * IOVA, readOnly, PAGE));
    setValue(ram, 1);
    setValue(readOnly, 5);
    copy(device, IOVA, 2 * IOVA);
    assertThat(value(readOnly)).isEqualTo(5);
    copy(device, 2 * IOVA, IOVA + 8);
    assertThat(value(ram + 8)).isEqualTo(5);
  }

  @Test
  void itReachesNothingThatWasUnmapped() {
    // vfio_iommu_type1.c:vfio_unmap_unpin
    int device = enabled();
    long ram = ram(PAGE);
    long other = ram(PAGE);
    succeeds(dmaMap(container, MAP_BOTH, IOVA, ram, PAGE));
    succeeds(dmaMap(container, MAP_BOTH, 2 * IOVA, other, PAGE));
    setValue(ram, 7);
    succeeds(dmaUnmap(container, 0, 2 * IOVA, PAGE));
    copy(device, IOVA, 2 * IOVA);
    assertThat(value(other)).isZero();
  }

  @Test
  void itReachesTheOldPagesWhenTheProcessHasOthers() {
    // vfio_iommu_type1.c: pinned pages
    int device = enabled();
    long ram = ram(PAGE);
    long other = ram(PAGE);
    succeeds(dmaMap(container, MAP_BOTH, IOVA, ram, PAGE));
    succeeds(dmaMap(container, MAP_BOTH, 2 * IOVA, other, PAGE));
    setValue(ram, 9);
    unmap(ram, PAGE);
    replace(ram, PAGE);
    copy(device, IOVA, 2 * IOVA);
    assertThat(value(other)).isEqualTo(9);
  }

  @Test
  void aGroupThatEntersLaterSeesTheSame() {
    // vfio_iommu_type1.c:vfio_iommu_type1_attach_group
    long ram = ram(PAGE);
    succeeds(dmaMap(container, MAP_BOTH, 0xfee0_0000L - PAGE, ram, PAGE));
    String pci = "/sys/bus/pci/";
    String other = pci + "devices/" + Backend.IVSHMEM + "/";
    sysfs.write(other + "driver_override", "vfio-pci");
    sysfs.write(pci + "drivers_probe", Backend.IVSHMEM);
    try {
      int second = open("/dev/vfio/" + sysfs.linkName(other + "iommu_group").orElseThrow());
      succeeds(setContainer(second, container));
      assertThat(status(second)).isEqualTo(VIABLE | CONTAINER_SET);
      int device = succeeds(openDevice(second, Backend.IVSHMEM));
      succeeds(ioctl(group, VFIO_GROUP_UNSET_CONTAINER, 0));
      assertThat(available()).isEqualTo(65_534);
      assertThat(iovaRanges()).hasSize(2);
      close(device);
      close(second);
      fails(Errno.EINVAL, ioctl(container, VFIO_IOMMU_GET_INFO, NOWHERE));
    } finally {
      closeAll();
      sysfs.write(other + "driver/unbind", Backend.IVSHMEM);
      sysfs.write(other + "driver_override", "\n");
    }
  }

  // -- VFIO_IOMMU_UNMAP_DMA

  @Test
  void unmapWantsItsStructAndKnownFlags() {
    // vfio_iommu_type1.c:vfio_iommu_type1_unmap_dma
    MemorySegment unmap = dmaUnmapOf(0, 0, PAGE);
    fails(Errno.EINVAL, ioctl(container, VFIO_IOMMU_UNMAP_DMA, shortened(unmap, 23)));
    fails(Errno.EFAULT, ioctl(container, VFIO_IOMMU_UNMAP_DMA, NOWHERE));
    fails(Errno.EINVAL, dmaUnmap(container, 8, 0, PAGE));
    fails(Errno.EINVAL, dmaUnmap(container, WITH_BITMAP | UNMAP_EVERYTHING, 0, 0));
    fails(Errno.EINVAL, dmaUnmap(container, WITH_BITMAP | ADDRESS, 0, PAGE));
    fails(Errno.EINVAL, dmaUnmap(container, WITH_BITMAP, 0, PAGE));
  }

  @Test
  void unmapWantsPages() {
    // vfio_iommu_type1.c:vfio_dma_do_unmap
    fails(Errno.EINVAL, dmaUnmap(container, 0, 0, 0));
    fails(Errno.EINVAL, dmaUnmap(container, 0, 1, PAGE));
    fails(Errno.EINVAL, dmaUnmap(container, 0, 0, PAGE + 1));
    fails(Errno.EOVERFLOW, dmaUnmap(container, 0, -PAGE, 2 * PAGE));
    assertThat(dmaUnmapped(container, 0, -PAGE, PAGE)).isZero();
    assertThat(dmaUnmapped(container, 0, 0, PAGE)).isZero();
  }

  @Test
  void unmapTakesWholeMappings() {
    // vfio_iommu_type1.c:vfio_dma_do_unmap: v2
    long ram = ram(4 * PAGE);
    succeeds(dmaMap(container, MAP_BOTH, PAGE, ram, 2 * PAGE));
    succeeds(dmaMap(container, MAP_BOTH, 4 * PAGE, ram, PAGE));
    MemorySegment unmap = dmaUnmapOf(0, 0, 2 * PAGE);
    fails(Errno.EINVAL, ioctl(container, VFIO_IOMMU_UNMAP_DMA, unmap));
    assertThat(unmap.get(ValueLayout.JAVA_LONG, 16)).isEqualTo(2 * PAGE);
    fails(Errno.EINVAL, dmaUnmap(container, 0, 2 * PAGE, PAGE));
    fails(Errno.EINVAL, dmaUnmap(container, 0, 2 * PAGE, 4 * PAGE));
    assertThat(dmaUnmapped(container, 0, 0, 8 * PAGE)).isEqualTo(3 * PAGE);
    assertThat(dmaUnmapped(container, 0, 0, 8 * PAGE)).isZero();
  }

  @Test
  void allIsUnmappedAtOnce() {
    // vfio_iommu_type1.c:vfio_dma_do_unmap: unmap_all
    long ram = ram(4 * PAGE);
    succeeds(dmaMap(container, MAP_BOTH, PAGE, ram, 2 * PAGE));
    succeeds(dmaMap(container, MAP_BOTH, 1L << 32, ram, PAGE));
    fails(Errno.EINVAL, dmaUnmap(container, UNMAP_EVERYTHING, 0, PAGE));
    fails(Errno.EINVAL, dmaUnmap(container, UNMAP_EVERYTHING, PAGE, 0));
    assertThat(dmaUnmapped(container, UNMAP_EVERYTHING, 0, 0)).isEqualTo(3 * PAGE);
    assertThat(dmaUnmapped(container, UNMAP_EVERYTHING, 0, 0)).isZero();
  }

  @Test
  void theFirstVersionUnmapsMoreOrNothing() {
    // vfio_iommu_type1.c:vfio_dma_do_unmap: not v2
    takeVersion1();
    long ram = ram(4 * PAGE);
    succeeds(dmaMap(container, MAP_BOTH, PAGE, ram, 2 * PAGE));
    succeeds(dmaMap(container, MAP_BOTH, 3 * PAGE, ram, PAGE));
    assertThat(dmaUnmapped(container, 0, 2 * PAGE, 2 * PAGE)).isZero();
    assertThat(dmaUnmapped(container, 0, 0, 2 * PAGE)).isEqualTo(2 * PAGE);
    assertThat(dmaUnmapped(container, 0, 0, 8 * PAGE)).isEqualTo(PAGE);
  }

  @Test
  void theMemoryMayMove() {
    // vfio_iommu_type1.c: VFIO_DMA_UNMAP_FLAG_VADDR, VFIO_DMA_MAP_FLAG_VADDR
    long ram = ram(2 * PAGE);
    fails(Errno.ENOENT, dmaMap(container, NEW_ADDRESS, 0, ram, 2 * PAGE));
    succeeds(dmaMap(container, MAP_BOTH, 0, ram, 2 * PAGE));
    fails(Errno.EINVAL, dmaMap(container, NEW_ADDRESS, 0, ram, 2 * PAGE));
    fails(Errno.EINVAL, dmaUnmap(container, ADDRESS, 0, PAGE));
    assertThat(dmaUnmapped(container, ADDRESS, 0, 2 * PAGE)).isEqualTo(2 * PAGE);
    fails(Errno.EINVAL, dmaUnmap(container, ADDRESS, 0, 2 * PAGE));
    assertThat(available()).isEqualTo(65_534);
    fails(Errno.EINVAL, dmaMap(container, NEW_ADDRESS, 0, ram, PAGE));
    succeeds(dmaMap(container, NEW_ADDRESS, 0, ram, 2 * PAGE));
    succeeds(dmaUnmap(container, ADDRESS | UNMAP_EVERYTHING, 0, 0));
    assertThat(dmaUnmapped(container, UNMAP_EVERYTHING, 0, 0)).isEqualTo(2 * PAGE);
  }

  // -- VFIO_IOMMU_DIRTY_PAGES

  private int dirty(int flags) {
    MemorySegment call = sized(vfio_iommu_type1_dirty_bitmap.layout());
    vfio_iommu_type1_dirty_bitmap.flags(call, flags);
    return ioctl(container, VFIO_IOMMU_DIRTY_PAGES, call);
  }

  private MemorySegment bitmapOf(MemorySegment bits, long pageSize) {
    MemorySegment bitmap = zeros(vfio_bitmap.sizeof());
    vfio_bitmap.pgsize(bitmap, pageSize);
    vfio_bitmap.size(bitmap, bits.byteSize());
    vfio_bitmap.data(bitmap, bits);
    return bitmap;
  }

  private MemorySegment getOf(long iova, long bytes, MemorySegment bitmap) {
    long head = vfio_iommu_type1_dirty_bitmap.sizeof();
    MemorySegment call = sized(head + vfio_iommu_type1_dirty_bitmap_get.sizeof());
    vfio_iommu_type1_dirty_bitmap.flags(call, GET);
    MemorySegment get = call.asSlice(head);
    vfio_iommu_type1_dirty_bitmap_get.iova(get, iova);
    vfio_iommu_type1_dirty_bitmap_get.size(get, bytes);
    vfio_iommu_type1_dirty_bitmap_get.bitmap(get).copyFrom(bitmap);
    return call;
  }

  private int get(long iova, long bytes, MemorySegment bits) {
    return ioctl(container, VFIO_IOMMU_DIRTY_PAGES, getOf(iova, bytes, bitmapOf(bits, PAGE)));
  }

  @Test
  void pagesAreTrackedFromStartToStop() {
    // vfio_iommu_type1.c:vfio_iommu_type1_dirty_pages
    MemorySegment bits = zeros(8);
    succeeds(dmaMap(container, MAP_BOTH, 0, ram(PAGE), PAGE));
    fails(Errno.EINVAL, get(0, PAGE, bits));
    succeeds(dirty(START));
    succeeds(dirty(START));
    succeeds(get(0, PAGE, bits));
    assertThat(bits.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(1);
    succeeds(dirty(STOP));
    succeeds(dirty(STOP));
    fails(Errno.EINVAL, get(0, PAGE, bits));
  }

  @Test
  void dirtyPagesWantsOneFlag() {
    // vfio_iommu_type1.c:vfio_iommu_type1_dirty_pages
    fails(Errno.EFAULT, ioctl(container, VFIO_IOMMU_DIRTY_PAGES, NOWHERE));
    fails(Errno.EINVAL, dirty(START | STOP));
    fails(Errno.EINVAL, dirty(8));
    fails(Errno.EINVAL, dirty(GET));
    MemorySegment start = sized(vfio_iommu_type1_dirty_bitmap.layout());
    vfio_iommu_type1_dirty_bitmap.flags(start, START);
    fails(Errno.EINVAL, ioctl(container, VFIO_IOMMU_DIRTY_PAGES, shortened(start, 7)));
  }

  @Test
  void theFirstVersionTracksNothing() {
    // vfio_iommu_type1.c:vfio_iommu_type1_dirty_pages: before the struct is read
    takeVersion1();
    fails(Errno.EACCES, ioctl(container, VFIO_IOMMU_DIRTY_PAGES, NOWHERE));
  }

  @Test
  void allThatADeviceMayWriteIsDirtyAgainAndAgain() {
    // vfio_iommu_type1.c:update_user_bitmap: num_non_pinned_groups
    succeeds(dirty(START));
    succeeds(dmaMap(container, MAP_READ, 0, ram(2 * PAGE), 2 * PAGE));
    succeeds(dmaMap(container, MAP_BOTH, 64 * PAGE, ram(PAGE), PAGE));
    for (int i = 0; i < 2; i++) {
      assertThat(dirtyWords()).containsExactly(0b11L, 1L);
    }
  }

  @Test
  void aBitBehindAMappingStaysSetWhereTheMappingBeginsInsideAWord() {
    // vfio_iommu_type1.c:vfio_iova_dirty_bitmap clears as many bits as there were before the shift
    succeeds(dirty(START));
    succeeds(dmaMap(container, MAP_BOTH, PAGE, ram(2 * PAGE), 2 * PAGE));
    succeeds(dmaMap(container, MAP_BOTH, 66 * PAGE, ram(PAGE), PAGE));
    assertThat(dirtyWords()).containsExactly(0b110L, 0b100L);
    assertThat(dirtyWords()).containsExactly(0b1110L, 0b10100L);
  }

  /** The dirty pages of the first 128. */
  private long[] dirtyWords() {
    MemorySegment bits = zeros(16);
    succeeds(get(0, 128 * PAGE, bits));
    return bits.toArray(ValueLayout.JAVA_LONG);
  }

  @Test
  void whatIsInTheBitmapStaysOnlyWhereAMappingBeginsInsideAWord() {
    // vfio_iommu_type1.c:update_user_bitmap: leftover
    succeeds(dirty(START));
    succeeds(dmaMap(container, MAP_BOTH, 0, ram(PAGE), PAGE));
    succeeds(dmaMap(container, MAP_BOTH, 65 * PAGE, ram(PAGE), PAGE));
    MemorySegment bits = zeros(24).fill((byte) 0x80);
    succeeds(get(0, 192 * PAGE, bits));
    assertThat(bits.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(1);
    assertThat(bits.get(ValueLayout.JAVA_LONG, 8)).isEqualTo(0x8080_8080_8080_8082L);
    assertThat(bits.get(ValueLayout.JAVA_LONG, 16)).isEqualTo(0x8080_8080_8080_8080L);
  }

  @Test
  void theBitmapIsForWholeMappingsAndLargeEnough() {
    // vfio_iommu_type1.c:vfio_iova_dirty_bitmap, verify_bitmap_size
    succeeds(dirty(START));
    succeeds(dmaMap(container, MAP_BOTH, PAGE, ram(4 * PAGE), 4 * PAGE));
    MemorySegment bits = zeros(8);
    fails(Errno.EINVAL, get(2 * PAGE, 8 * PAGE, bits));
    fails(Errno.EINVAL, get(0, 4 * PAGE, bits));
    fails(Errno.EINVAL, get(0, 0, bits));
    fails(Errno.EOVERFLOW, get(-PAGE, 2 * PAGE, bits));
    fails(Errno.EINVAL, get(0, 65 * PAGE, bits));
    fails(Errno.EINVAL, get(1, 8 * PAGE, bits));
    fails(Errno.EINVAL, get(0, PAGE + 1, bits));
    fails(Errno.EINVAL, getWith(bitmapOf(bits, 2 * PAGE)));
    fails(Errno.EINVAL, getWith(bitmapOf(MemorySegment.NULL, PAGE)));
    MemorySegment elsewhere = at(NOWHERE, 8);
    fails(Errno.EFAULT, getWith(bitmapOf(elsewhere, PAGE)));
    MemorySegment kernels = at(-PAGE, 8);
    fails(Errno.EINVAL, getWith(bitmapOf(kernels, PAGE)));
    succeeds(getWith(bitmapOf(bits, PAGE)));
  }

  private int getWith(MemorySegment bitmap) {
    return ioctl(container, VFIO_IOMMU_DIRTY_PAGES, getOf(0, 8 * PAGE, bitmap));
  }

  @Test
  void unmapTellsWhatWasDirty() {
    // vfio_iommu_type1.c:vfio_iommu_type1_unmap_dma
    MemorySegment bits = zeros(8);
    MemorySegment bitmap = bitmapOf(bits, PAGE);
    MemorySegment unmap = sized(24 + bitmap.byteSize());
    unmap.copyFrom(dmaUnmapOf(WITH_BITMAP, 0, 4 * PAGE));
    unmap.set(ValueLayout.JAVA_INT, 0, (int) unmap.byteSize());
    unmap.asSlice(24).copyFrom(bitmap);
    succeeds(dmaMap(container, MAP_BOTH, PAGE, ram(2 * PAGE), 2 * PAGE));
    fails(Errno.EINVAL, ioctl(container, VFIO_IOMMU_UNMAP_DMA, unmap));
    succeeds(dirty(START));
    succeeds(ioctl(container, VFIO_IOMMU_UNMAP_DMA, unmap));
    assertThat(unmap.get(ValueLayout.JAVA_LONG, 16)).isEqualTo(2 * PAGE);
    assertThat(bits.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(0b110);
    assertThat(available()).isEqualTo(65_535);
  }
}
