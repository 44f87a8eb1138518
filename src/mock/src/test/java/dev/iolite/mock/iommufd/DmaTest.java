package dev.iolite.mock.iommufd;

import static dev.iolite.mock.iommufd.Machine.FIXED;
import static dev.iolite.mock.iommufd.Machine.PAGE;
import static dev.iolite.mock.iommufd.Machine.READ;
import static dev.iolite.mock.iommufd.Machine.USUAL;
import static dev.iolite.mock.iommufd.Machine.WRITE;
import static dev.iolite.mock.iommufd.Machine.mapFileOf;
import static dev.iolite.mock.iommufd.Machine.mapOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.mock.core.IommuDevice.Mapped;
import dev.iolite.mock.core.IommufdContext.BoundDevice;
import dev.iolite.mock.core.MemFdFile;
import dev.iolite.mock.core.Memory;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What a device reaches through the page tables. */
class DmaTest {
  private static final long IOVA = 0x10000;

  private final Machine machine = new Machine(VtdIommu.likeQemu());
  private final PretendDevice device = PretendDevice.alone();
  private final BoundDevice bound = machine.bind(device);
  private final int ioas = machine.ioas();

  private void attach() {
    machine.call(() -> bound.attach(ioas));
  }

  private void put(long address, long value) {
    machine.task().user().write(address, MemorySegment.ofArray(new long[] {value}));
  }

  private long get(long address) {
    MemorySegment word = MemorySegment.ofArray(new long[1]);
    machine.task().user().read(address, word);
    return word.get(ValueLayout.JAVA_LONG, 0);
  }

  @Test
  void aDeviceThatIsNotAttachedReachesNothing() {
    assertThat(device.isBlocked()).isTrue();
    attach();
    assertThat(device.isBlocked()).isFalse();
    machine.call(() -> {
      bound.detach();
      return 0;
    });
    assertThat(device.isBlocked()).isTrue();
  }

  @Test
  void readsAndWritesTheCallersMemory() {
    long ram = machine.ram(PAGE);
    machine.map(ioas, USUAL, ram, PAGE, IOVA);
    attach();
    put(ram + 8, 4711);
    device.reads(IOVA + 8, 4711);
    device.write(IOVA + 16, 42);
    assertThat(get(ram + 16)).isEqualTo(42);
  }

  @Test
  void anAccessAcrossMappingsReachesBoth() {
    long ram = machine.ram(2 * PAGE);
    attach();
    machine.map(ioas, USUAL, ram + PAGE, PAGE, IOVA);
    machine.map(ioas, USUAL, ram, PAGE, IOVA + PAGE);
    device.write(IOVA + PAGE - 4, 0x1111_2222_3333_4444L);
    assertThat((int) get(ram)).isEqualTo(0x1111_2222);
    device.reads(IOVA + PAGE - 4, 0x1111_2222_3333_4444L);
    device.faultsReading(IOVA + 2 * PAGE - 4);
    device.faultsReading(IOVA - 4);
  }

  @Test
  void permissionsAreKept() {
    long ram = machine.ram(2 * PAGE);
    attach();
    machine.map(ioas, FIXED | READ, ram, PAGE, IOVA);
    machine.map(ioas, FIXED | WRITE, ram + PAGE, PAGE, IOVA + PAGE);
    device.reads(IOVA, 0);
    device.faultsWriting(IOVA);
    device.write(IOVA + PAGE, 1);
    device.faultsReading(IOVA + PAGE);
  }

  @Test
  void whatIsUnmappedIsNotReachedAnyMore() {
    attach();
    machine.map(ioas, USUAL, machine.ram(PAGE), PAGE, IOVA);
    device.reads(IOVA, 0);
    machine.unmap(ioas, IOVA, PAGE);
    device.faultsReading(IOVA);
  }

  @Test
  void pinnedMemoryOutlivesTheCallersMapping() {
    long ram = machine.ram(PAGE);
    attach();
    machine.map(ioas, USUAL, ram, PAGE, IOVA);
    put(ram, 4711);
    machine.freeRam(ram, PAGE);
    device.reads(IOVA, 4711);
  }

  /** Memory that the process has by other means than the model's calls. */
  private static long foreignMemory(long bytes) {
    int flags = Libc.MAP_PRIVATE() | Libc.MAP_ANONYMOUS();
    return new HostKernel().mmap(0, bytes, Libc.PROT_READ() | Libc.PROT_WRITE(), flags, -1, 0);
  }

  @Test
  void foreignMemoryThatTheProcessUnmapsIsNoLongerFollowed() {
    long page = foreignMemory(PAGE);
    attach();
    machine.map(ioas, USUAL, page, PAGE, IOVA);
    put(page, 4711);
    machine.freeRam(page, PAGE);
    put(page, 42);
    device.reads(IOVA, 4711);
    device.write(IOVA, 5);
    assertThat(get(page)).isEqualTo(42);
    machine.unmap(ioas, IOVA, PAGE);
    assertThat(new HostKernel().munmap(page, PAGE)).isZero();
  }

  @Test
  void whatIsMappedWhereForeignMemoryWasIsNotReached() {
    // A hole between pages: too small for what the JVM maps meanwhile.
    long pages = foreignMemory(3 * PAGE);
    long page = pages + PAGE;
    attach();
    machine.map(ioas, USUAL, page, PAGE, IOVA);
    assertThat(new HostKernel().munmap(page, PAGE)).isZero();
    int fixedNoReplace = 0x10_0000;
    int flags = Libc.MAP_SHARED() | Libc.MAP_ANONYMOUS() | fixedNoReplace;
    int protection = Libc.PROT_READ() | Libc.PROT_WRITE();
    long again =
        machine.call(
            () -> machine.task().memory().map(page, PAGE, protection, flags, Optional.empty(), 0));
    assertThat(again).isEqualTo(page);
    device.faultsWriting(IOVA);
    machine.freeRam(page, PAGE);
    assertThat(new HostKernel().munmap(pages, 3 * PAGE)).isZero();
  }

  @Test
  void memoryIsLookedAtWhenAPageTableNeedsItAndNotBefore() {
    long ram = machine.ram(PAGE);
    machine.freeRam(ram, PAGE);
    machine.map(ioas, USUAL, ram, PAGE, IOVA);
    assertThat(machine.refusal(() -> bound.attach(ioas))).contains(Errno.EFAULT);
    assertThat(bound.isAttached()).isFalse();
    assertThat(device.isBlocked()).isTrue();
    machine.unmap(ioas, IOVA, PAGE);
    attach();
    machine.fails(Errno.EFAULT, IommufdIoctls.IOMMU_IOAS_MAP, mapOf(ioas, USUAL, ram, PAGE, IOVA));
    assertThat(device.dma().mappings()).isEmpty();
  }

  @Test
  void aCopySharesThePagesThatAreHeld() {
    long ram = machine.ram(2 * PAGE);
    attach();
    machine.map(ioas, USUAL, ram, 2 * PAGE, IOVA);
    put(ram + PAGE, 4711);
    machine.freeRam(ram, 2 * PAGE);
    machine.copy(ioas, USUAL, 0x40000, ioas, IOVA + PAGE, PAGE);
    device.reads(0x40000, 4711);
    machine.unmap(ioas, IOVA, 2 * PAGE);
    device.reads(0x40000, 4711);
  }

  @Test
  void aCopyOfWhatNobodyHoldsAnyMoreIsLookedUpAgain() {
    int other = machine.ioas();
    long ram = machine.ram(2 * PAGE);
    attach();
    machine.map(other, USUAL, ram, 2 * PAGE, IOVA);
    machine.copy(ioas, USUAL, IOVA, other, IOVA, 2 * PAGE);
    machine.copy(ioas, USUAL, 0x40000, other, IOVA, PAGE);
    machine.freeRam(ram, 2 * PAGE);
    machine.unmap(ioas, IOVA, 2 * PAGE);
    machine.copy(ioas, USUAL, IOVA, other, IOVA, PAGE);
    machine.fails(
        Errno.EFAULT,
        IommufdIoctls.IOMMU_IOAS_COPY,
        Machine.copyOf(ioas, USUAL, 0x50000, other, IOVA + PAGE, PAGE));
  }

  @Test
  void aMemfdIsMappedByItsFile() {
    var memfd = new MemFdFile(machine.task(), "ram", 0);
    memfd.truncate(2 * PAGE);
    int fd = machine.install(memfd);
    attach();
    machine.succeeds(
        IommufdIoctls.IOMMU_IOAS_MAP_FILE, mapFileOf(ioas, USUAL, fd, PAGE, PAGE, IOVA));
    memfd.ram().write(PAGE, MemorySegment.ofArray(new long[] {4711}));
    machine.call(() -> {
      machine.task().descriptors().close(fd);
      return 0;
    });
    device.reads(IOVA, 4711);
  }

  /** mm/gup.c:memfd_pin_folios. */
  @Test
  void aMemfdsLastPageMustBeWhole() {
    var memfd = new MemFdFile(machine.task(), "ram", 0);
    memfd.truncate(2 * PAGE - 1);
    int fd = machine.install(memfd);
    attach();
    machine.succeeds(IommufdIoctls.IOMMU_IOAS_MAP_FILE, mapFileOf(ioas, USUAL, fd, 0, PAGE, IOVA));
    machine.fails(
        Errno.EINVAL,
        IommufdIoctls.IOMMU_IOAS_MAP_FILE,
        mapFileOf(ioas, USUAL, fd, PAGE, PAGE, 0x40000));
    memfd.truncate(2 * PAGE);
    machine.succeeds(
        IommufdIoctls.IOMMU_IOAS_MAP_FILE, mapFileOf(ioas, USUAL, fd, PAGE, PAGE, 0x40000));
  }

  @Test
  void mappingsTellWhereTheyLead() {
    long ram = machine.ram(PAGE);
    machine.map(ioas, FIXED | READ, ram, PAGE, IOVA);
    attach();
    assertThat(device.dma().mappings())
        .containsExactly(
            new Mapped(IOVA, IOVA + PAGE - 1, true, false, "memory at 0x" + Long.toHexString(ram)));
  }

  @Test
  void aRevokedDmaBufIsGoneForEver() {
    var dmaBuf = new PretendDmaBuf(machine.task(), 4 * PAGE);
    int fd = machine.install(dmaBuf);
    attach();
    machine.succeeds(
        IommufdIoctls.IOMMU_IOAS_MAP_FILE, mapFileOf(ioas, USUAL, fd, PAGE, PAGE, IOVA));
    device.write(IOVA, 4711);
    assertThat(dmaBuf.get(PAGE)).isEqualTo(4711);

    dmaBuf.setRevoked(true);
    device.faultsReading(IOVA);
    assertThat(device.dma().mappings()).isEmpty();
    machine.fails(
        Errno.ENODEV,
        IommufdIoctls.IOMMU_IOAS_MAP_FILE,
        mapFileOf(ioas, USUAL, fd, 0, PAGE, 0x40000));
    dmaBuf.setRevoked(false);
    device.faultsReading(IOVA);
    machine.fails(
        Errno.EEXIST,
        IommufdIoctls.IOMMU_IOAS_MAP_FILE,
        mapFileOf(ioas, USUAL, fd, PAGE, PAGE, IOVA));

    machine.call(() -> {
      bound.detach();
      return bound.attach(ioas);
    });
    device.faultsReading(IOVA);
    machine.unmap(ioas, IOVA, PAGE);
    machine.succeeds(
        IommufdIoctls.IOMMU_IOAS_MAP_FILE, mapFileOf(ioas, USUAL, fd, PAGE, PAGE, IOVA));
    device.reads(IOVA, 4711);
    machine.unmap(ioas, IOVA, PAGE);
    assertThat(dmaBuf.imports()).isZero();
  }

  @Test
  void aDmaBufIsMappedWithinItsEnds() {
    int fd = machine.install(new PretendDmaBuf(machine.task(), 4 * PAGE));
    machine.fails(
        Errno.EINVAL,
        IommufdIoctls.IOMMU_IOAS_MAP_FILE,
        mapFileOf(ioas, USUAL, fd, PAGE, 4 * PAGE, IOVA));
  }

  @Test
  void theLastBytesOfTheSpaceEndIt() {
    attach();
    long last = (1L << 39) - PAGE;
    machine.map(ioas, USUAL, machine.ram(PAGE), PAGE, last);
    device.reads(last + PAGE - 8, 0);
    assertThatThrownBy(() -> device.read(last + PAGE - 4)).isInstanceOf(Memory.Unreachable.class);
  }
}
