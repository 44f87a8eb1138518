package dev.iolite.iommufd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.DeviceId;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.MemFd;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** An IOAS without a device: bookkeeping only, and the errors that it finds. */
@Tag("lab")
class IoasLabTest {
  private static final long PAGE = 4096;
  private static final long LAST_PAGE = -PAGE;

  private final Kernel kernel = new HostKernel();
  @AutoClose private final Iommufd iommufd = Iommufd.open(kernel);
  private final Ioas ioas = iommufd.allocIoas();
  @AutoClose private final Mapping ram = Mapping.anonymous(kernel, 4 * PAGE);

  private MemorySegment pages(int count) {
    return ram.segment().asSlice(0, count * PAGE);
  }

  private static KernelException assertFails(Errno errno, ThrowingCallable call) {
    var failure = new KernelException[1];
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            KernelException.class,
            e -> {
              assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno);
              failure[0] = e;
            });
    return failure[0];
  }

  @Test
  void aNewIoasTakesAnyByteOfTheWholeSpace() {
    assertThat(ioas.ranges()).isEqualTo(new IovaRanges(List.of(IovaRange.ALL), 1));
  }

  @Test
  void mapsWhereAskedAndUnmapsExactlyThat() {
    IovaMapping low = ioas.map(0, pages(1), IovaAccess.READ);
    IovaMapping high = ioas.map(PAGE, pages(2), IovaAccess.READ_WRITE);
    assertThat(low.iova()).isZero();
    assertThat(high.range()).isEqualTo(IovaRange.of(PAGE, 2 * PAGE));
    assertThat(high.bytes()).isEqualTo(2 * PAGE);
    assertThat(high.access()).isEqualTo(IovaAccess.READ_WRITE);
    assertThat(high.what()).isEqualTo("memory at 0x" + Long.toHexString(ram.address()));
    assertThat(ioas.mappings()).containsExactly(low, high);

    low.close();
    low.close();
    assertThat(ioas.mappings()).containsExactly(high);
    assertThat(ioas.unmapAll()).isEqualTo(2 * PAGE);
    assertThat(high.isMapped()).isFalse();
  }

  @Test
  void theKernelChoosesAnAddressThatIsFreeAndNotZero() {
    IovaMapping first = ioas.mapAnywhere(pages(2), IovaAccess.READ_WRITE);
    IovaMapping second = ioas.mapAnywhere(pages(2), IovaAccess.WRITE);
    assertThat(first.iova()).isNotZero();
    assertThat(first.iova() % PAGE).isZero();
    assertThat(second.range().overlaps(first.range())).isFalse();
    assertThat(ioas.unmap(first.range())).isEqualTo(2 * PAGE);
  }

  @Test
  void theLastPageOfTheSpaceCanBeMappedAndIsPartOfEverything() {
    IovaMapping last = ioas.map(LAST_PAGE, pages(1), IovaAccess.READ);
    assertThat(last.range().last()).isEqualTo(-1);
    assertThat(ioas.unmap(IovaRange.ALL)).isEqualTo(PAGE);
    assertThat(last.isMapped()).isFalse();
  }

  @Test
  void beyondTheLastPageIsAnOverflow() {
    assertFails(Errno.EOVERFLOW, () -> ioas.map(LAST_PAGE, pages(2), IovaAccess.READ));
    assertFails(Errno.EOVERFLOW, () -> ioas.map(-1, pages(1), IovaAccess.READ));
  }

  @Test
  void whatIsMappedIsNotMappedOver() {
    ioas.map(PAGE, pages(2), IovaAccess.READ);
    KernelException e =
        assertFails(Errno.EEXIST, () -> ioas.map(2 * PAGE, pages(1), IovaAccess.READ));
    assertThat(e)
        .hasMessageContaining("IOMMU_IOAS_MAP on iommufd")
        .hasMessageContaining("iova=0x2000")
        .hasMessageContaining("something is mapped at this IOVA already");
    assertThat(ioas.mappings()).hasSize(1);
  }

  @Test
  void noBytesAreNoMapping() {
    assertFails(Errno.EINVAL, () -> ioas.map(PAGE, pages(0), IovaAccess.READ));
    try (MemFd memfd = MemFd.create(kernel, "ram", PAGE)) {
      assertFails(Errno.EINVAL, () -> ioas.mapFileAnywhere(memfd.fd(), 0, 0, IovaAccess.READ));
    }
  }

  @Test
  void heapMemoryIsRefusedBeforeTheKernelSeesIt() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ioas.map(0, MemorySegment.ofArray(new byte[4096]), IovaAccess.READ));
  }

  @Test
  void unmapNeedsSomethingWholeToUnmap() {
    assertThat(ioas.unmapAll()).isZero();
    assertFails(Errno.ENOENT, () -> ioas.unmap(IovaRange.of(PAGE, PAGE)));
    IovaMapping mapping = ioas.map(PAGE, pages(2), IovaAccess.READ);
    assertThat(assertFails(Errno.ENOENT, () -> ioas.unmap(IovaRange.of(PAGE, PAGE))))
        .hasMessageContaining("cuts a mapping");
    assertFails(Errno.ENOENT, () -> ioas.unmap(IovaRange.of(2 * PAGE, 4 * PAGE)));
    assertThat(mapping.isMapped()).isTrue();
    assertThat(ioas.unmap(IovaRange.of(0, 8 * PAGE))).isEqualTo(2 * PAGE);
  }

  @Test
  void closingAMappingThatIsGoneLeavesWhatIsThereNow() {
    IovaMapping old = ioas.map(PAGE, pages(1), IovaAccess.READ);
    ioas.unmapAll();
    IovaMapping current = ioas.map(PAGE, pages(1), IovaAccess.READ);
    old.close();
    assertThat(current.isMapped()).isTrue();
    assertThat(ioas.unmapAll()).isEqualTo(PAGE);
  }

  @Test
  void mapsAMemfdAtAnyOffset() {
    try (MemFd memfd = MemFd.create(kernel, "ram", 4 * PAGE)) {
      IovaMapping fixed = ioas.mapFile(0x10000, memfd.fd(), PAGE, 3 * PAGE, IovaAccess.READ_WRITE);
      IovaMapping anywhere = ioas.mapFileAnywhere(memfd.fd(), 0, PAGE, IovaAccess.READ);
      assertThat(fixed.range()).isEqualTo(IovaRange.of(0x10000, 3 * PAGE));
      assertThat(fixed.what()).isEqualTo(memfd.fd() + " from 0x1000");
      assertThat(anywhere.iova()).isNotZero();
    }
    assertThat(ioas.unmapAll()).as("the file may be closed").isEqualTo(4 * PAGE);
  }

  @Test
  void aFileThatIsNotOpenIsNotMapped() {
    Fd none = Fd.borrowed(kernel, FdKind.MEMFD, 987_654, "nothing");
    assertFails(Errno.EBADF, () -> ioas.mapFileAnywhere(none, 0, PAGE, IovaAccess.READ));
  }

  @Test
  void aFileThatIsNoMemoryIsTakenWhileNoDeviceNeedsIt() {
    try (Fd file = Fd.open(kernel, FdKind.FILE, "/proc/version", Libc.O_RDONLY())) {
      assertThat(ioas.mapFileAnywhere(file, 0, PAGE, IovaAccess.READ).isMapped()).isTrue();
    }
  }

  @Test
  void copiesWhatIsMappedInAnotherIoas() {
    IovaMapping source = ioas.map(PAGE, pages(2), IovaAccess.READ);
    try (Ioas other = iommufd.allocIoas()) {
      IovaMapping fixed = other.copy(0x20000, source, IovaAccess.READ);
      IovaMapping anywhere = other.copyAnywhere(source, IovaAccess.READ);
      assertThat(fixed.range()).isEqualTo(IovaRange.of(0x20000, 2 * PAGE));
      assertThat(fixed.what()).isEqualTo(source.what());
      assertThat(anywhere.range().overlaps(fixed.range())).isFalse();
      assertFails(Errno.EEXIST, () -> other.copy(0x20000, source, IovaAccess.READ));
      assertFails(Errno.EPERM, () -> other.copyAnywhere(source, IovaAccess.READ_WRITE));
      source.close();
      assertThat(fixed.isMapped()).isTrue();
      assertFails(Errno.ENOENT, () -> other.copyAnywhere(source, IovaAccess.READ));
      assertThat(other.unmapAll()).isEqualTo(4 * PAGE);
    }
  }

  @Test
  void theKernelChoosesAmongTheRangesThatWereDemanded() {
    ioas.allow(List.of(IovaRange.of(0x100000, 2 * PAGE)));
    assertThat(ioas.mapAnywhere(pages(2), IovaAccess.READ).iova()).isEqualTo(0x100000);
    assertFails(Errno.ENOSPC, () -> ioas.mapAnywhere(pages(2), IovaAccess.READ));
    assertThat(ioas.ranges().allowed()).containsExactly(IovaRange.ALL);
    ioas.allow(List.of());
    assertThat(ioas.mapAnywhere(pages(2), IovaAccess.READ).isMapped()).isTrue();
  }

  @Test
  void demandedRangesMustNotOverlapAndHaveTwoBytes() {
    assertFails(
        Errno.EINVAL,
        () -> ioas.allow(List.of(new IovaRange(0, PAGE), new IovaRange(PAGE, 2 * PAGE))));
    assertFails(Errno.EINVAL, () -> ioas.allow(List.of(new IovaRange(PAGE, PAGE))));
  }

  @Test
  void withoutHugePagesAlignmentIsAPage() {
    assertThat(ioas.hugePages()).isTrue();
    ioas.setHugePages(false);
    assertThat(ioas.hugePages()).isFalse();
    assertThat(ioas.ranges().alignment()).isEqualTo(PAGE);
    assertFails(Errno.EINVAL, () -> ioas.map(0x800, pages(1), IovaAccess.READ));
    assertFails(
        Errno.EINVAL, () -> ioas.map(0, ram.segment().asSlice(0, PAGE + 1), IovaAccess.READ));
    ioas.setHugePages(true);
    assertThat(ioas.ranges().alignment()).isEqualTo(1);
  }

  @Test
  void accountingIsChosenBeforeThereIsAnyObject() {
    assertThat(
            assertFails(Errno.EBUSY, () -> iommufd.setMemlockAccounting(MemlockAccounting.PROCESS)))
        .hasMessageContaining("before");
    try (Iommufd empty = Iommufd.open(kernel)) {
      assertThat(empty.memlockAccounting()).isEqualTo(MemlockAccounting.USER);
      empty.setMemlockAccounting(MemlockAccounting.PROCESS);
      assertThat(empty.memlockAccounting()).isEqualTo(MemlockAccounting.PROCESS);
      empty.setMemlockAccounting(MemlockAccounting.USER);
      assertThat(empty.memlockAccounting()).isEqualTo(MemlockAccounting.USER);
    }
  }

  @Test
  void closingAnIoasTakesItsMappingsWithIt() {
    Ioas other = iommufd.allocIoas();
    IovaMapping mapping = other.map(0, pages(1), IovaAccess.READ);
    other.close();
    other.close();
    assertThat(mapping.isMapped()).isFalse();
    mapping.close();
    assertFails(Errno.ENOENT, other::ranges);
    assertFails(Errno.ENOENT, () -> other.map(0, pages(1), IovaAccess.READ));
  }

  @Test
  void closingTheIommufdTakesEverythingWithIt() {
    Iommufd other = Iommufd.open(kernel);
    Ioas gone = other.allocIoas();
    IovaMapping mapping = gone.map(0, pages(1), IovaAccess.READ);
    other.close();
    assertThat(mapping.isMapped()).isFalse();
    mapping.close();
    gone.close();
  }

  @Test
  void whatTheIommufdDoesNotHaveIsNotFound() {
    assertFails(Errno.ENOENT, () -> new IommufdObject(iommufd.fd(), 4711, "none").close());
    assertFails(Errno.ENOENT, () -> iommufd.hwInfo(new DeviceId(4711)));
    assertFails(Errno.ENOENT, () -> iommufd.hwInfo(new DeviceId(ioas.id().value())));
    assertFails(Errno.ENOENT, () -> iommufd.allocHwpt(new DeviceId(4711), ioas, Set.of()));
  }
}
