package dev.iolite.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a device sees at an IOVA: edu copies between it and a buffer of its own. */
abstract class VfioDmaContract extends VfioContract {
  private static final long IOVA = 0x10_0000;
  private static final long VALUE = 0x1122_3344_5566_7788L;

  private int device = NO_FD;
  private int ioas;

  VfioDmaContract(Backend backend) {
    super(backend, Backend.EDU);
  }

  @BeforeEach
  void attachDevice() {
    device = enabledDevice();
    ioas = ioas();
    attached(device, ioas);
  }

  private void transfer(long from, long to, long direction) {
    transfer(from, to, 8, direction);
  }

  private void transfer(long from, long to, int bytes, long direction) {
    transfer(device, from, to, bytes, direction);
  }

  /** Reads from an IOVA, and writes what was read to another. */
  private void copy(long from, long to) {
    copy(device, from, to);
  }

  @Test
  void itReadsAndWritesTheMemoryThatIsMapped() {
    // pages.c:iopt_area_fill_domains
    long ram = ram(2 * PAGE);
    succeeds(map(ioas, USUAL, ram, 2 * PAGE, IOVA));
    setValue(ram + 8, VALUE);
    copy(IOVA + 8, IOVA + PAGE + 16);
    assertThat(value(ram + PAGE + 16)).isEqualTo(VALUE);
  }

  @Test
  void itWritesItsOwnRegistersThroughADmaBufOfItsBar() {
    // pages.c:pfn_reader_fill_dmabuf; drivers/vfio/pci/vfio_pci_dmabuf.c
    long liveness = 4;
    int pattern = 0x1234_5678;
    long ram = ram(PAGE);
    succeeds(map(ioas, USUAL, ram, PAGE, IOVA));
    int file = dmaBuf(device, new Piece(0, PAGE));
    succeeds(mapFile(ioas, USUAL, file, 0, PAGE, 2 * IOVA));
    at(ram, 4).set(ValueLayout.JAVA_INT, 0, pattern);
    transfer(IOVA, BUFFER, 4, 0);
    transfer(BUFFER, 2 * IOVA + liveness, 4, TO_MEMORY);
    assertThat((int) read(device, BAR0, liveness, 4)).isEqualTo(~pattern);
  }

  @Test
  void itDoesNotWriteWhatIsMappedForReading() {
    // intel/iommu.c: DMA_PTE_WRITE is not set
    long ram = ram(PAGE);
    long readOnly = ram(PAGE);
    succeeds(map(ioas, USUAL, ram, PAGE, IOVA));
    succeeds(map(ioas, FIXED | READ, readOnly, PAGE, 2 * IOVA));
    setValue(ram, VALUE);
    setValue(readOnly, 5);
    copy(IOVA, 2 * IOVA);
    assertThat(value(readOnly)).isEqualTo(5);
    copy(2 * IOVA, IOVA + 8);
    assertThat(value(ram + 8)).isEqualTo(5);
  }

  @Test
  void itReachesNothingThatIsUnmapped() {
    // pages.c:iopt_area_unfill_domains
    long ram = ram(PAGE);
    long other = ram(PAGE);
    succeeds(map(ioas, USUAL, ram, PAGE, IOVA));
    succeeds(map(ioas, USUAL, other, PAGE, 2 * IOVA));
    setValue(ram, VALUE);
    succeeds(unmap(ioas, 2 * IOVA, PAGE));
    copy(IOVA, 2 * IOVA);
    assertThat(value(other)).isZero();
  }

  @Test
  void itSeesWhatWasMappedBeforeItWasAttached() {
    // io_pagetable.c:iopt_fill_domain
    succeeds(detach(device));
    long ram = ram(PAGE);
    succeeds(map(ioas, USUAL, ram, PAGE, IOVA));
    attached(device, ioas);
    setValue(ram, VALUE);
    copy(IOVA, IOVA + 8);
    assertThat(value(ram + 8)).isEqualTo(VALUE);
  }

  @Test
  void itMovesToAnotherIoasAtOnce() {
    // device.c:iommufd_device_do_replace
    long ram = ram(PAGE);
    long other = ram(PAGE);
    int second = ioas();
    succeeds(map(ioas, USUAL, ram, PAGE, IOVA));
    succeeds(map(second, USUAL, other, PAGE, IOVA));
    attached(device, second);
    setValue(other, VALUE);
    copy(IOVA, IOVA + 8);
    assertThat(value(other + 8)).isEqualTo(VALUE);
    assertThat(value(ram + 8)).isZero();
  }

  @Test
  void itSeesThePagesThatWerePinnedThoughTheProcessHasThemNoMore() {
    // pages.c: pinned pages
    int memfd = memfd(PAGE);
    int readWrite = 3;
    long first = mapped(mmap(memfd, PAGE, readWrite, 1, 0), PAGE);
    succeeds(map(ioas, USUAL, first, PAGE, IOVA));
    setValue(first, VALUE);
    unmap(first, PAGE);
    copy(IOVA, IOVA + 8);
    long again = mapped(mmap(memfd, PAGE, readWrite, 1, 0), PAGE);
    assertThat(value(again + 8)).isEqualTo(VALUE);
  }

  @Test
  void itReachesThePagesThatWerePinnedAndNotWhatTheProcessHasThereNow() {
    // pages.c:pfn_reader_pin_pages: pin_user_pages
    long ram = ram(PAGE);
    reachesThePageBelow(
        ram,
        () -> {
          unmap(ram, PAGE);
          replace(ram, PAGE);
        });
  }

  @Test
  void itReachesThePagesThatWerePinnedUnderAMappingThatReplacedThem() {
    // mm/vma.c:__mmap_setup: MAP_FIXED unmaps what is there
    long ram = ram(PAGE);
    reachesThePageBelow(ram, () -> replace(ram, PAGE));
  }

  @Test
  void itReachesThePagesThatWerePinnedWhereverTheProcessHadThemFrom() {
    // pages.c:pfn_reader_pin_pages: pin_user_pages
    long pages = foreignMemory(3 * PAGE, Libc.PROT_READ() | Libc.PROT_WRITE());
    setValue(pages, 1);
    setValue(pages + 2 * PAGE, 3);
    succeeds(map(ioas, USUAL, pages, 3 * PAGE, 4 * IOVA));
    reachesThePageBelow(pages + PAGE, () -> replace(pages + PAGE, PAGE));
    copy(4 * IOVA, 4 * IOVA + 2 * PAGE + 8);
    assertThat(value(pages + 2 * PAGE + 8)).as("the pages beside it stay").isEqualTo(1);
  }

  /** Has the device copy within a page after the process has put another one above it. */
  private void reachesThePageBelow(long page, Runnable putAnother) {
    long seen = ram(PAGE);
    succeeds(map(ioas, USUAL, page, PAGE, IOVA));
    succeeds(map(ioas, USUAL, seen, PAGE, 2 * IOVA));
    setValue(page, VALUE);
    putAnother.run();
    setValue(page, 5);
    copy(IOVA, IOVA + 8);
    assertThat(value(page)).isEqualTo(5);
    assertThat(value(page + 8)).as("what the process has there now").isZero();
    copy(IOVA + 8, 2 * IOVA);
    assertThat(value(seen)).isEqualTo(VALUE);
  }

  @Test
  void onlyMemoryThatMayBeWrittenIsMappedForWriting() {
    // mm/gup.c:check_vma_flags: FOLL_WRITE
    int read = Libc.PROT_READ();
    for (long readOnly : new long[] {memory(PAGE, read), foreignMemory(PAGE, read)}) {
      fails(Errno.EFAULT, map(ioas, USUAL, readOnly, PAGE, IOVA));
      fails(Errno.EFAULT, map(ioas, FIXED | WRITE, readOnly, PAGE, IOVA));
      succeeds(map(ioas, FIXED | READ, readOnly, PAGE, IOVA));
      succeeds(unmap(ioas, IOVA, PAGE));
    }
    succeeds(map(ioas, FIXED | WRITE, memory(PAGE, Libc.PROT_WRITE()), PAGE, IOVA));
    succeeds(map(ioas, USUAL, foreignMemory(PAGE, read | Libc.PROT_WRITE()), PAGE, 2 * IOVA));
  }

  @Test
  void memoryThatMayNotBeReadIsNotMapped() {
    // mm/gup.c:check_vma_flags
    for (long none : new long[] {memory(PAGE, 0), foreignMemory(PAGE, 0), NOWHERE}) {
      fails(Errno.EFAULT, map(ioas, USUAL, none, PAGE, IOVA));
      fails(Errno.EFAULT, map(ioas, FIXED | READ, none, PAGE, IOVA));
    }
  }

  @Test
  void memoryIsMappedWholeOrNotAtAll() {
    // pages.c:pfn_reader_pin_pages: pin_user_pages gave fewer
    long pages = foreignMemory(2 * PAGE, Libc.PROT_READ() | Libc.PROT_WRITE());
    succeeds(map(ioas, USUAL, pages, 2 * PAGE, IOVA));
    succeeds(unmap(ioas, IOVA, 2 * PAGE));
    long end = endOfMemory();
    fails(Errno.EFAULT, map(ioas, USUAL, end - PAGE, 2 * PAGE, IOVA));
  }

  @Test
  void itSeesAFile() {
    // pages.c:pfn_reader_pin_file
    int memfd = memfd(2 * PAGE);
    succeeds(mapFile(ioas, USUAL, memfd, PAGE, PAGE, IOVA));
    long file = mapped(mmap(memfd, 2 * PAGE, 3, 1, 0), 2 * PAGE);
    setValue(file + PAGE, VALUE);
    copy(IOVA, IOVA + 8);
    assertThat(value(file + PAGE + 8)).isEqualTo(VALUE);
    assertThat(value(file + 8)).isZero();
  }

  @Test
  void itSeesACopyOfAPart() {
    // ioas.c:iommufd_ioas_copy
    int source = ioas();
    long ram = ram(3 * PAGE);
    succeeds(map(source, USUAL, ram, 3 * PAGE, 0));
    succeeds(copy(ioas, USUAL, IOVA, source, PAGE, PAGE));
    setValue(ram + PAGE, VALUE);
    copy(IOVA, IOVA + 8);
    assertThat(value(ram + PAGE + 8)).isEqualTo(VALUE);
  }

  @Test
  void withoutBusMasteringItReachesNothing() {
    // PCI_COMMAND_MASTER: the device must not begin
    long ram = ram(PAGE);
    succeeds(map(ioas, USUAL, ram, PAGE, IOVA));
    setValue(ram, VALUE);
    transfer(IOVA, BUFFER, 0);
    setCommand(device, MEMORY);
    transfer(BUFFER, IOVA + 8, TO_MEMORY);
    assertThat(value(ram + 8)).isZero();
  }

  @Test
  void itIsCutOffWhenItIsDetached() {
    // device.c:iommufd_device_detach: the blocking domain
    long ram = ram(PAGE);
    succeeds(map(ioas, USUAL, ram, PAGE, IOVA));
    setValue(ram, VALUE);
    transfer(IOVA, BUFFER, 0);
    succeeds(detach(device));
    transfer(BUFFER, IOVA + 8, TO_MEMORY);
    assertThat(value(ram + 8)).isZero();
  }

  @Test
  void aFailedReplacementLeavesItWhereItWas() {
    // device.c:iommufd_device_change_pt
    long ram = ram(PAGE);
    succeeds(map(ioas, USUAL, ram, PAGE, IOVA));
    fails(Errno.ENOENT, attach(device, NO_OBJECT));
    setValue(ram, VALUE);
    copy(IOVA, IOVA + 8);
    assertThat(value(ram + 8)).isEqualTo(VALUE);
  }
}
