package dev.iolite.mock.iommufd;

import static dev.iolite.mock.iommufd.Machine.FIXED;
import static dev.iolite.mock.iommufd.Machine.PAGE;
import static dev.iolite.mock.iommufd.Machine.READ;
import static dev.iolite.mock.iommufd.Machine.USUAL;
import static dev.iolite.mock.iommufd.Machine.mapFileOf;
import static dev.iolite.mock.iommufd.Machine.mapOf;
import static dev.iolite.mock.iommufd.Machine.sized;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.iommu_ioas_map;
import dev.iolite.uapi.iommufd.iommu_ioas_unmap;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** The limits of what can be mapped and unmapped: the last value that passes, and the next one. */
class MapCommandsTest {
  private static final long IOVA = 0x10000;

  /** ULONG_MAX. */
  private static final long MOST = -1;

  private final Machine machine = new Machine(VtdIommu.likeQemu());
  private final int ioas = machine.ioas();

  private void refuses(Errno errno, long address, long bytes, long iova) {
    machine.fails(errno, IommufdIoctls.IOMMU_IOAS_MAP, mapOf(ioas, USUAL, address, bytes, iova));
  }

  private void refusesFile(Errno errno, int fd, long start, long bytes) {
    machine.fails(
        errno, IommufdIoctls.IOMMU_IOAS_MAP_FILE, mapFileOf(ioas, USUAL, fd, start, bytes, IOVA));
  }

  private void mapsFile(int fd, long start, long bytes) {
    machine.succeeds(
        IommufdIoctls.IOMMU_IOAS_MAP_FILE, mapFileOf(ioas, USUAL, fd, start, bytes, IOVA));
    machine.unmap(ioas, IOVA, bytes);
  }

  /** iommufd_ioas_map, iopt_alloc_user_pages, iopt_alloc_pages. */
  @Test
  void memoryIsNotEmptyDoesNotWrapAndHasNoAddressOfAllOnes() {
    refuses(Errno.EOVERFLOW, 0, MOST, IOVA);
    refuses(Errno.EOVERFLOW, 0, PAGE, MOST);
    refuses(Errno.EINVAL, 0, 0, IOVA);
    refuses(Errno.EOVERFLOW, -PAGE, PAGE, IOVA);
    refuses(Errno.EOVERFLOW, -PAGE, 2 * PAGE, IOVA);
    refuses(Errno.EINVAL, 0, -PAGE, IOVA);
    refuses(Errno.EINVAL, 0, MOST - PAGE + 1, IOVA);
    refuses(Errno.EOVERFLOW, 0, MOST - PAGE, IOVA);
    machine.map(ioas, USUAL, -2 * PAGE, PAGE, IOVA);
  }

  /** iommufd_ioas_map: flags first. */
  @Test
  void aMapIsForReadingOrWriting() {
    machine.fails(
        Errno.EOPNOTSUPP, IommufdIoctls.IOMMU_IOAS_MAP, mapOf(ioas, USUAL | 1 << 3, 0, PAGE, IOVA));
    machine.fails(Errno.EINVAL, IommufdIoctls.IOMMU_IOAS_MAP, mapOf(ioas, FIXED, 0, PAGE, IOVA));
    MemorySegment reserved = mapOf(ioas, FIXED | READ, 0, PAGE, IOVA);
    iommu_ioas_map.__reserved(reserved, 1);
    machine.fails(Errno.EOPNOTSUPP, IommufdIoctls.IOMMU_IOAS_MAP, reserved);
  }

  /** io_pagetable.c:iopt_map_file_pages. */
  @Test
  void aDmaBufIsMappedUpToItsLastByte() {
    int fd = machine.install(new PretendDmaBuf(machine.task(), 4 * PAGE));
    mapsFile(fd, 0, 4 * PAGE);
    mapsFile(fd, 3 * PAGE, PAGE);
    refusesFile(Errno.EINVAL, fd, 0, 4 * PAGE + 1);
    refusesFile(Errno.EINVAL, fd, 3 * PAGE, PAGE + 1);
    refusesFile(Errno.EINVAL, fd, 4 * PAGE, 1);
    refusesFile(Errno.EINVAL, fd, PAGE, 0);
    refusesFile(Errno.EOVERFLOW, fd, -PAGE, PAGE + 1);
    refusesFile(Errno.EINVAL, fd, -PAGE, PAGE);
  }

  /** pages.c:iopt_alloc_dmabuf_pages: MAX_NPFNS is more than any may have. */
  @Test
  void aDmaBufOfTooManyPagesIsRefused() {
    long pages = 0xffff_ffffL;
    int fd = machine.install(new PretendDmaBuf(machine.task(), (pages + 1) * PAGE));
    refusesFile(Errno.EINVAL, fd, 0, pages * PAGE);
    mapsFile(fd, 0, (pages - 1) * PAGE);
  }

  /** io_pagetable.c:iopt_unmap_iova; iommufd_ioas_unmap. */
  @Test
  void anUnmapIsNotEmptyAndDoesNotWrap() {
    machine.map(ioas, USUAL, machine.ram(PAGE), PAGE, IOVA);
    refusesUnmap(Errno.EINVAL, IOVA, 0);
    refusesUnmap(Errno.EOVERFLOW, IOVA, MOST);
    refusesUnmap(Errno.EOVERFLOW, MOST, PAGE);
    refusesUnmap(Errno.EOVERFLOW, -PAGE, PAGE + 1);
    refusesUnmap(Errno.ENOENT, -PAGE, PAGE);
    refusesUnmap(Errno.ENOENT, IOVA + PAGE, PAGE);
    machine.unmap(ioas, IOVA, PAGE);
    machine.unmap(ioas, 0, MOST);
  }

  private void refusesUnmap(Errno errno, long iova, long bytes) {
    MemorySegment unmap = sized(iommu_ioas_unmap.layout());
    iommu_ioas_unmap.ioas_id(unmap, ioas);
    iommu_ioas_unmap.iova(unmap, iova);
    iommu_ioas_unmap.length(unmap, bytes);
    machine.fails(errno, IommufdIoctls.IOMMU_IOAS_UNMAP, unmap);
  }

  /** iommufd_ioas_copy. */
  @Test
  void aCopyThatIsRefusedHoldsNothing() {
    machine.map(ioas, USUAL, machine.ram(PAGE), PAGE, IOVA);
    for (long[] bad : new long[][] {{MOST, IOVA, 0}, {PAGE, MOST, 0}, {PAGE, IOVA, MOST}}) {
      machine.fails(
          Errno.EOVERFLOW,
          IommufdIoctls.IOMMU_IOAS_COPY,
          Machine.copyOf(ioas, USUAL, bad[2], ioas, bad[1], bad[0]));
    }
    machine.fails(
        Errno.ENOENT,
        IommufdIoctls.IOMMU_IOAS_COPY,
        Machine.copyOf(4711, USUAL, 0, ioas, IOVA, PAGE));
    machine.unmap(ioas, IOVA, PAGE);
    machine.destroy(ioas);
  }
}
