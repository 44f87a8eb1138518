package dev.iolite.contract;

import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_CHANGE_PROCESS;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_FEATURE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.iommufd.iommu_ioas_change_process;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_feature_dma_buf;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Registers as a dma-buf: how it is made, mapped for DMA, and revoked. */
abstract class VfioDmaBufContract extends VfioContract {
  private static final Piece ALL = new Piece(0, EDU_BYTES);
  private static final Piece NOTHING = new Piece(0, 0);

  private int device = NO_FD;

  VfioDmaBufContract(Backend backend) {
    super(backend, Backend.EDU);
  }

  @BeforeEach
  void enable() {
    device = enabledDevice();
  }

  @Test
  void theSizeOfADmaBufIsTheSumOfItsRanges() {
    // vfio_pci_dmabuf.c:vfio_pci_core_feature_dma_buf; dma-buf.c:dma_buf_llseek
    int buf = dmaBuf(device, new Piece(0, PAGE), new Piece(0x8000, 2 * PAGE));
    assertThat(kernel.lseek(buf, 0, Libc.SEEK_END())).isEqualTo(3 * PAGE);
    assertThat(kernel.lseek(buf, 0, Libc.SEEK_SET())).isZero();
  }

  @Test
  void aDmaBufSeeksToItsEndsOnly() {
    // dma-buf.c:dma_buf_llseek
    int buf = dmaBuf(device, ALL);
    fails(Errno.EINVAL, kernel.lseek(buf, 1, Libc.SEEK_SET()));
    fails(Errno.EINVAL, kernel.lseek(buf, -1, Libc.SEEK_END()));
    fails(Errno.EINVAL, kernel.lseek(buf, 0, Libc.SEEK_CUR()));
  }

  @Test
  void aDmaBufOfRegistersIsNotMapped() {
    // dma-buf.c:dma_buf_mmap_internal: no mmap operation
    int buf = dmaBuf(device, ALL);
    fails(Errno.EINVAL, mmap(buf, PAGE, Libc.PROT_READ(), Libc.MAP_SHARED(), 0));
  }

  @Test
  void aDmaBufIsNeitherReadNorWritten() {
    // dma-buf.c:dma_buf_fops
    int buf = dmaBuf(device, ALL);
    fails(Errno.EINVAL, kernel.read(buf, zeros(4).address(), 4));
    fails(Errno.EINVAL, kernel.write(buf, zeros(4).address(), 4));
  }

  @Test
  void noRangesAreInvalidBeforeTheRegionIsLookedAt() {
    // vfio_pci_dmabuf.c:vfio_pci_core_feature_dma_buf
    fails(Errno.EINVAL, exportDmaBuf(device, 99));
  }

  @Test
  void flagsAreInvalidBeforeTheRegionIsLookedAt() {
    // vfio_pci_dmabuf.c:vfio_pci_core_feature_dma_buf
    MemorySegment feature = dmaBufOf(99, ALL);
    vfio_device_feature_dma_buf.flags(feature.asSlice(8), 1 << 31);
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_FEATURE, feature));
  }

  @Test
  void onlyABarThatIsThereBecomesADmaBuf() {
    // vfio_pci_dmabuf.c:vfio_pci_core_feature_dma_buf: before the ranges are looked at
    fails(Errno.ENODEV, exportDmaBuf(device, 1, NOTHING));
    fails(Errno.ENODEV, exportDmaBuf(device, Vfio.VFIO_PCI_ROM_REGION_INDEX(), NOTHING));
    fails(Errno.ENODEV, exportDmaBuf(device, CONFIG, NOTHING));
    fails(Errno.ENODEV, exportDmaBuf(device, -1, NOTHING));
  }

  @Test
  void rangesThatCanNotBeReadAreAFault() {
    // vfio_pci_dmabuf.c:vfio_pci_core_feature_dma_buf: memdup_array_user
    MemorySegment feature = dmaBufOf(BAR0, ALL);
    long head = 24;
    long end = endOfMemory();
    at(end - head, head).copyFrom(feature.asSlice(0, head));
    fails(Errno.EFAULT, ioctl(device, VFIO_DEVICE_FEATURE, end - head));
    at(end - 16, 16).copyFrom(feature.asSlice(0, 16));
    fails(Errno.EFAULT, ioctl(device, VFIO_DEVICE_FEATURE, end - 16));
  }

  @Test
  void rangesMayLieBehindTheSizeThatWasTold() {
    // vfio_pci_dmabuf.c:vfio_pci_core_feature_dma_buf: argsz covers the head only
    MemorySegment feature = dmaBufOf(BAR0, ALL);
    keep(ioctl(device, VFIO_DEVICE_FEATURE, shortened(feature, 24)));
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_FEATURE, shortened(feature, 23)));
  }

  @Test
  void aRangeHasBytes() {
    // vfio_pci_dmabuf.c:validate_dmabuf_input
    fails(Errno.EINVAL, exportDmaBuf(device, BAR0, NOTHING));
    fails(Errno.EINVAL, exportDmaBuf(device, BAR0, ALL, NOTHING));
  }

  @Test
  void aRangeIsWholePages() {
    // vfio_pci_dmabuf.c:validate_dmabuf_input
    fails(Errno.EINVAL, exportDmaBuf(device, BAR0, new Piece(0x800, PAGE)));
    fails(Errno.EINVAL, exportDmaBuf(device, BAR0, new Piece(0, PAGE + 1)));
  }

  @Test
  void aRangeLiesWithinItsBar() {
    // vfio_pci_dmabuf.c:vfio_pci_core_fill_phys_vec
    fails(Errno.EINVAL, exportDmaBuf(device, BAR0, new Piece(EDU_BYTES, PAGE)));
    fails(Errno.EINVAL, exportDmaBuf(device, BAR0, new Piece(EDU_BYTES - PAGE, 2 * PAGE)));
  }

  @Test
  void aRangeThatWrapsOverflows() {
    // vfio_pci_dmabuf.c:vfio_pci_core_fill_phys_vec: check_add_overflow
    fails(Errno.EOVERFLOW, exportDmaBuf(device, BAR0, new Piece(-PAGE, PAGE)));
  }

  @Test
  void aSumThatWrapsIsInvalid() {
    // vfio_pci_dmabuf.c:validate_dmabuf_input
    Piece half = new Piece(0, 1L << 63);
    fails(Errno.EINVAL, exportDmaBuf(device, BAR0, half, half));
    fails(Errno.EINVAL, exportDmaBuf(device, BAR0, half));
  }

  @Test
  void rangesMayRepeatAndOverlap() {
    // vfio_pci_dmabuf.c:vfio_pci_core_fill_phys_vec looks at each alone
    int buf = dmaBuf(device, ALL, ALL, new Piece(PAGE, PAGE));
    assertThat(kernel.lseek(buf, 0, Libc.SEEK_END())).isEqualTo(2 * EDU_BYTES + PAGE);
  }

  @Test
  void aBarHasManyDmaBufs() {
    // vfio_pci_dmabuf.c:vfio_pci_core_feature_dma_buf
    assertThat(dmaBuf(device, ALL)).isNotEqualTo(dmaBuf(device, ALL));
  }

  @Test
  void aDmaBufIsMappedForDma() {
    // pages.c:iopt_alloc_dmabuf_pages
    int ioas = ioas();
    int buf = dmaBuf(device, ALL);
    succeeds(mapFile(ioas, USUAL, buf, 0, EDU_BYTES, 0x100000));
    assertThat(unmapped(ioas, 0x100000, EDU_BYTES)).isEqualTo(EDU_BYTES);
  }

  @Test
  void aPartOfADmaBufIsMappedForDma() {
    // io_pagetable.c:iopt_map_file_pages
    int ioas = ioas();
    int buf = dmaBuf(device, ALL);
    succeeds(mapFile(ioas, USUAL, buf, 3 * PAGE, 2 * PAGE, 0x100000));
    assertThat(unmapped(ioas, 0x100000, 2 * PAGE)).isEqualTo(2 * PAGE);
  }

  @Test
  void aDmaBufOfTwoRangesIsNotMappedForDma() {
    // vfio_pci_dmabuf.c:vfio_pci_dma_buf_iommufd_map
    int buf = dmaBuf(device, new Piece(0, PAGE), new Piece(PAGE, PAGE));
    fails(Errno.EOPNOTSUPP, mapFile(ioas(), USUAL, buf, 0, PAGE, 0x100000));
  }

  @Test
  void beyondTheEndOfADmaBufThereIsNothingToMap() {
    // pages.c:iopt_map_dmabuf: before it asks whether it is revoked
    int buf = dmaBuf(device, new Piece(0, PAGE));
    fails(Errno.EINVAL, mapFile(ioas(), USUAL, buf, 0, 2 * PAGE, 0x100000));
    fails(Errno.EINVAL, mapFile(ioas(), USUAL, buf, PAGE, PAGE, 0x100000));
    setCommand(device, 0);
    fails(Errno.EINVAL, mapFile(ioas(), USUAL, buf, 0, 2 * PAGE, 0x100000));
  }

  @Test
  void aDmaBufMadeWithoutMemoryDecodeIsRevoked() {
    // vfio_pci_dmabuf.c:vfio_pci_core_feature_dma_buf: __vfio_pci_memory_enabled
    setCommand(device, MASTER);
    int buf = dmaBuf(device, ALL);
    fails(Errno.ENODEV, mapFile(ioas(), USUAL, buf, 0, EDU_BYTES, 0x100000));
  }

  @Test
  void memoryDecodeBringsARevokedDmaBufBack() {
    // vfio_pci_config.c:vfio_basic_config_write: vfio_pci_dma_buf_move(vdev, false)
    setCommand(device, 0);
    int buf = dmaBuf(device, ALL);
    setCommand(device, MEMORY);
    succeeds(mapFile(ioas(), USUAL, buf, 0, EDU_BYTES, 0x100000));
  }

  @Test
  void switchingMemoryDecodeOffRevokes() {
    // vfio_pci_config.c:vfio_basic_config_write: vfio_pci_dma_buf_move(vdev, true)
    int buf = dmaBuf(device, ALL);
    setCommand(device, MASTER);
    fails(Errno.ENODEV, mapFile(ioas(), USUAL, buf, 0, EDU_BYTES, 0x100000));
    setCommand(device, MEMORY);
    succeeds(mapFile(ioas(), USUAL, buf, 0, EDU_BYTES, 0x100000));
  }

  @Test
  void aRevokedMappingIsStillUnmapped() {
    // pages.c:iopt_revoke_notify leaves the area
    int device = this.device;
    int ioas = ioas();
    attached(device, ioas);
    int buf = dmaBuf(device, ALL);
    succeeds(mapFile(ioas, USUAL, buf, 0, EDU_BYTES, 0x100000));
    setCommand(device, 0);
    assertThat(unmapped(ioas, 0x100000, EDU_BYTES)).isEqualTo(EDU_BYTES);
  }

  @Test
  void aRevokedMappingKeepsItsPlace() {
    // pages.c:iopt_revoke_notify
    int ioas = ioas();
    int buf = dmaBuf(device, ALL);
    succeeds(mapFile(ioas, USUAL, buf, 0, EDU_BYTES, 0x100000));
    setCommand(device, 0);
    fails(Errno.EEXIST, map(ioas, USUAL, ram(PAGE), PAGE, 0x100000));
  }

  @Test
  void anIoasWithARevokedMappingIsAttached() {
    // pages.c:iopt_area_fill_domain skips a revoked dma-buf
    int ioas = ioas();
    int buf = dmaBuf(device, ALL);
    succeeds(mapFile(ioas, USUAL, buf, 0, EDU_BYTES, 0x100000));
    setCommand(device, MASTER);
    succeeds(attach(device, ioas));
  }

  @Test
  void aDmaBufOutlivesItsDeviceButIsRevokedForEver() {
    // vfio_pci_dmabuf.c:vfio_pci_dma_buf_cleanup
    int buf = dmaBuf(device, ALL);
    close(device);
    assertThat(kernel.lseek(buf, 0, Libc.SEEK_END())).isEqualTo(EDU_BYTES);
    fails(Errno.ENODEV, mapFile(ioas(), USUAL, buf, 0, EDU_BYTES, 0x100000));
    enabledDevice();
    fails(Errno.ENODEV, mapFile(ioas(), USUAL, buf, 0, EDU_BYTES, 0x100000));
  }

  @Test
  void aMappedDmaBufMayBeClosed() {
    // pages.c:iopt_map_dmabuf holds the dma-buf
    int ioas = ioas();
    attached(device, ioas);
    int buf = dmaBuf(device, ALL);
    succeeds(mapFile(ioas, USUAL, buf, 0, EDU_BYTES, 0x100000));
    close(buf);
    assertThat(unmapped(ioas, 0x100000, EDU_BYTES)).isEqualTo(EDU_BYTES);
  }

  @Test
  void aDmaBufIsMappedInManyIoases() {
    // pages.c:iopt_map_dmabuf: an attachment for each
    int buf = dmaBuf(device, ALL);
    succeeds(mapFile(ioas(), USUAL, buf, 0, EDU_BYTES, 0x100000));
    succeeds(mapFile(ioas(), USUAL, buf, 0, EDU_BYTES, 0x100000));
  }

  @Test
  void copyOfADmaBufTakesItsPages() {
    // ioas.c:iommufd_ioas_copy
    int from = ioas();
    int to = ioas();
    int buf = dmaBuf(device, ALL);
    succeeds(mapFile(from, USUAL, buf, 0, EDU_BYTES, 0x100000));
    succeeds(copy(to, USUAL, 0, from, 0x100000, PAGE));
    setCommand(device, 0);
    assertThat(unmapped(to, 0, PAGE)).isEqualTo(PAGE);
  }

  @Test
  void theProcessThatPaysForADmaBufDoesNotChange() {
    // ioas.c:iommufd_ioas_change_process: neither memory nor a memfd
    int buf = dmaBuf(device, ALL);
    succeeds(mapFile(ioas(), USUAL, buf, 0, EDU_BYTES, 0x100000));
    MemorySegment change = sized(iommu_ioas_change_process.layout());
    fails(Errno.EINVAL, ioctl(iommufd, IOMMU_IOAS_CHANGE_PROCESS, change));
  }
}
