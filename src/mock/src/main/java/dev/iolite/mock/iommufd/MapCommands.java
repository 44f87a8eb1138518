package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;
import static java.lang.Long.compareUnsigned;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.DmaBufFile;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_ioas_copy;
import dev.iolite.uapi.iommufd.iommu_ioas_map;
import dev.iolite.uapi.iommufd.iommu_ioas_map_file;
import dev.iolite.uapi.iommufd.iommu_ioas_unmap;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Commands that map and unmap (ioas.c, and io_pagetable.c up to iopt_map_pages). */
final class MapCommands {
  private static final int FIXED = Iommufd.IOMMU_IOAS_MAP_FIXED_IOVA();
  private static final int WRITEABLE = Iommufd.IOMMU_IOAS_MAP_WRITEABLE();
  private static final int READABLE = Iommufd.IOMMU_IOAS_MAP_READABLE();
  private static final int FLAGS = FIXED | WRITEABLE | READABLE;

  /** ULONG_MAX, which no address or length may be. */
  private static final long MOST = -1;

  /** A dma-buf with this many pages or more is refused (pages.c:MAX_NPFNS). */
  private static final long MOST_DMA_BUF_PAGES = 0xffff_ffffL;

  private MapCommands() {}

  private static IoPageTable.Wish wish(int flags) {
    refuseIf((flags & (WRITEABLE | READABLE)) == 0, Errno.EINVAL);
    return new IoPageTable.Wish(
        (flags & READABLE) != 0, (flags & WRITEABLE) != 0, (flags & FIXED) == 0);
  }

  /** IOMMU_IOAS_MAP (iommufd_ioas_map). */
  static void map(Ucmd ucmd) {
    MemorySegment cmd = ucmd.argument();
    int flags = iommu_ioas_map.flags(cmd);
    refuseIf((flags & ~FLAGS) != 0 || iommu_ioas_map.__reserved(cmd) != 0, Errno.EOPNOTSUPP);
    long iova = iommu_ioas_map.iova(cmd);
    long bytes = iommu_ioas_map.length(cmd);
    refuseIf(iova == MOST || bytes == MOST, Errno.EOVERFLOW);
    IoPageTable.Wish wish = wish(flags);
    IommufdIoas ioas = ucmd.context().objects().get(iommu_ioas_map.ioas_id(cmd), IommufdIoas.class);
    Piece piece = memory(ucmd.task(), iommu_ioas_map.user_va(cmd), bytes, wish.writable());
    iommu_ioas_map.iova(cmd, ioas.table().map(List.of(piece), bytes, iova, wish));
    ucmd.respond();
  }

  /** pages.c:iopt_alloc_user_pages. */
  static Piece memory(Task task, long address, long bytes, boolean writable) {
    refuseIf(compareUnsigned(address + bytes, address) < 0, Errno.EOVERFLOW);
    requirePossible(bytes);
    long page = address & -Page.BYTES;
    return new Piece(new UserPages(task.memory(), page, writable), address - page, bytes);
  }

  /** pages.c:iopt_alloc_pages. */
  private static void requirePossible(long bytes) {
    refuseIf(bytes == 0 || compareUnsigned(bytes, MOST - Page.BYTES) > 0, Errno.EINVAL);
  }

  /** IOMMU_IOAS_MAP_FILE (iommufd_ioas_map_file). */
  static void mapFile(Ucmd ucmd) {
    MemorySegment cmd = ucmd.argument();
    int flags = iommu_ioas_map_file.flags(cmd);
    refuseIf((flags & ~FLAGS) != 0, Errno.EOPNOTSUPP);
    long iova = iommu_ioas_map_file.iova(cmd);
    long bytes = iommu_ioas_map_file.length(cmd);
    refuseIf(iova == MOST || bytes == MOST, Errno.EOVERFLOW);
    IoPageTable.Wish wish = wish(flags);
    IommufdIoas ioas =
        ucmd.context().objects().get(iommu_ioas_map_file.ioas_id(cmd), IommufdIoas.class);
    Piece piece =
        file(
            ucmd.task(),
            iommu_ioas_map_file.fd(cmd),
            iommu_ioas_map_file.start(cmd),
            bytes,
            wish.writable());
    iommu_ioas_map_file.iova(cmd, ioas.table().map(List.of(piece), bytes, iova, wish));
    ucmd.respond();
  }

  /** io_pagetable.c:iopt_map_file_pages: first as a dma-buf, then as any file. */
  private static Piece file(Task task, int fd, long start, long bytes, boolean writable) {
    refuseIf(bytes == 0, Errno.EINVAL);
    refuseIf(compareUnsigned(start + bytes - 1, start) < 0, Errno.EOVERFLOW);
    long page = start & -Page.BYTES;
    OpenFile file = task.descriptors().get(fd);
    if (file instanceof DmaBufFile dmaBuf) {
      refuseIf(compareUnsigned(dmaBuf.bytes(), start + bytes - 1) <= 0, Errno.EINVAL);
      refuseIf(bytes / Page.BYTES >= MOST_DMA_BUF_PAGES, Errno.EINVAL);
      requirePossible(bytes);
      return new Piece(new DmaBufPages(dmaBuf, page, writable), start - page, bytes);
    }
    requirePossible(bytes);
    return new Piece(new FilePages(file, page, writable), start - page, bytes);
  }

  /** IOMMU_IOAS_COPY (iommufd_ioas_copy). */
  static void copy(Ucmd ucmd) {
    MemorySegment cmd = ucmd.argument();
    int flags = iommu_ioas_copy.flags(cmd);
    refuseIf((flags & ~FLAGS) != 0, Errno.EOPNOTSUPP);
    long bytes = iommu_ioas_copy.length(cmd);
    long source = iommu_ioas_copy.src_iova(cmd);
    long iova = iommu_ioas_copy.dst_iova(cmd);
    refuseIf(bytes == MOST || source == MOST || iova == MOST, Errno.EOVERFLOW);
    IoPageTable.Wish wish = wish(flags);
    ObjectTable objects = ucmd.context().objects();
    List<Piece> pieces =
        objects
            .get(iommu_ioas_copy.src_ioas_id(cmd), IommufdIoas.class)
            .table()
            .pieces(source, bytes);
    if (!(objects.find(iommu_ioas_copy.dst_ioas_id(cmd)) instanceof IommufdIoas target)) {
      pieces.forEach(piece -> piece.pages().put());
      throw refused(Errno.ENOENT);
    }
    iommu_ioas_copy.dst_iova(cmd, target.table().map(pieces, bytes, iova, wish));
    ucmd.respond();
  }

  /** IOMMU_IOAS_UNMAP (iommufd_ioas_unmap). */
  static void unmap(Ucmd ucmd) {
    MemorySegment cmd = ucmd.argument();
    long iova = iommu_ioas_unmap.iova(cmd);
    long bytes = iommu_ioas_unmap.length(cmd);
    IoPageTable table =
        ucmd.context().objects().get(iommu_ioas_unmap.ioas_id(cmd), IommufdIoas.class).table();
    long unmapped;
    if (iova == 0 && bytes == MOST) {
      unmapped = table.unmap(0, MOST);
    } else {
      refuseIf(iova == MOST || bytes == MOST, Errno.EOVERFLOW);
      unmapped = unmapRange(table, iova, bytes);
      refuseIf(unmapped == 0, Errno.ENOENT);
    }
    iommu_ioas_unmap.length(cmd, unmapped);
    ucmd.respond();
  }

  /** io_pagetable.c:iopt_unmap_iova. */
  static long unmapRange(IoPageTable table, long iova, long bytes) {
    refuseIf(bytes == 0, Errno.EINVAL);
    long last = iova + bytes - 1;
    refuseIf(compareUnsigned(last, iova) < 0, Errno.EOVERFLOW);
    return table.unmap(iova, last);
  }
}
