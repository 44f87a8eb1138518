package dev.iolite.contract;

import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_DESTROY;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_HWPT_ALLOC;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_ALLOC;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_COPY;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_IOVA_RANGES;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_MAP;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_MAP_FILE;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_UNMAP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_destroy;
import dev.iolite.uapi.iommufd.iommu_hwpt_alloc;
import dev.iolite.uapi.iommufd.iommu_ioas_alloc;
import dev.iolite.uapi.iommufd.iommu_ioas_copy;
import dev.iolite.uapi.iommufd.iommu_ioas_iova_ranges;
import dev.iolite.uapi.iommufd.iommu_ioas_map;
import dev.iolite.uapi.iommufd.iommu_ioas_map_file;
import dev.iolite.uapi.iommufd.iommu_ioas_unmap;
import dev.iolite.uapi.iommufd.iommu_iova_range;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;

/** An iommufd, and what is asked of its address spaces. */
abstract class IommufdContract extends Contract {
  static final int FIXED = Iommufd.IOMMU_IOAS_MAP_FIXED_IOVA();
  static final int READ = Iommufd.IOMMU_IOAS_MAP_READABLE();
  static final int WRITE = Iommufd.IOMMU_IOAS_MAP_WRITEABLE();

  /** At the address given, for reading and writing. */
  static final int USUAL = FIXED | READ | WRITE;

  static final long U64_MAX = -1;
  static final int NO_OBJECT = 0x7fff_0000;

  int iommufd = NO_FD;

  IommufdContract(Backend backend) {
    super(backend);
  }

  /** A range of IOVA, its last byte included. */
  record Range(long start, long last) {
    static final Range ALL = new Range(0, -1);
  }

  @BeforeEach
  final void openIommufd() {
    iommufd = open("/dev/iommu");
  }

  final int ioas() {
    MemorySegment alloc = sized(iommu_ioas_alloc.layout());
    succeeds(ioctl(iommufd, IOMMU_IOAS_ALLOC, alloc));
    return iommu_ioas_alloc.out_ioas_id(alloc);
  }

  final int destroy(int id) {
    MemorySegment destroy = sized(iommu_destroy.layout());
    iommu_destroy.id(destroy, id);
    return ioctl(iommufd, IOMMU_DESTROY, destroy);
  }

  /** The argument of IOMMU_IOAS_MAP. */
  final MemorySegment mapOf(int ioas, int flags, long va, long length, long iova) {
    MemorySegment map = sized(iommu_ioas_map.layout());
    iommu_ioas_map.flags(map, flags);
    iommu_ioas_map.ioas_id(map, ioas);
    iommu_ioas_map.user_va(map, va);
    iommu_ioas_map.length(map, length);
    iommu_ioas_map.iova(map, iova);
    return map;
  }

  final int map(int ioas, int flags, long va, long length, long iova) {
    return ioctl(iommufd, IOMMU_IOAS_MAP, mapOf(ioas, flags, va, length, iova));
  }

  /** Maps memory, where the kernel likes. */
  final long mapAnywhere(int ioas, long va, long length) {
    MemorySegment map = mapOf(ioas, READ | WRITE, va, length, 0);
    succeeds(ioctl(iommufd, IOMMU_IOAS_MAP, map));
    return iommu_ioas_map.iova(map);
  }

  /** The argument of IOMMU_IOAS_MAP_FILE. */
  final MemorySegment mapFileOf(int ioas, int flags, int file, long start, long length, long iova) {
    MemorySegment map = sized(iommu_ioas_map_file.layout());
    iommu_ioas_map_file.flags(map, flags);
    iommu_ioas_map_file.ioas_id(map, ioas);
    iommu_ioas_map_file.fd(map, file);
    iommu_ioas_map_file.start(map, start);
    iommu_ioas_map_file.length(map, length);
    iommu_ioas_map_file.iova(map, iova);
    return map;
  }

  final int mapFile(int ioas, int flags, int file, long start, long length, long iova) {
    return ioctl(iommufd, IOMMU_IOAS_MAP_FILE, mapFileOf(ioas, flags, file, start, length, iova));
  }

  /** The argument of IOMMU_IOAS_COPY. */
  final MemorySegment copyOf(int to, int flags, long toIova, int from, long fromIova, long length) {
    MemorySegment copy = sized(iommu_ioas_copy.layout());
    iommu_ioas_copy.flags(copy, flags);
    iommu_ioas_copy.dst_ioas_id(copy, to);
    iommu_ioas_copy.src_ioas_id(copy, from);
    iommu_ioas_copy.length(copy, length);
    iommu_ioas_copy.dst_iova(copy, toIova);
    iommu_ioas_copy.src_iova(copy, fromIova);
    return copy;
  }

  final int copy(int to, int flags, long toIova, int from, long fromIova, long length) {
    return ioctl(iommufd, IOMMU_IOAS_COPY, copyOf(to, flags, toIova, from, fromIova, length));
  }

  /** The argument of IOMMU_IOAS_UNMAP. */
  final MemorySegment unmapOf(int ioas, long iova, long length) {
    MemorySegment unmap = sized(iommu_ioas_unmap.layout());
    iommu_ioas_unmap.ioas_id(unmap, ioas);
    iommu_ioas_unmap.iova(unmap, iova);
    iommu_ioas_unmap.length(unmap, length);
    return unmap;
  }

  /** A refused unmap, or one of which the bytes don't matter. */
  final int unmap(int ioas, long iova, long length) {
    return ioctl(iommufd, IOMMU_IOAS_UNMAP, unmapOf(ioas, iova, length));
  }

  /** Unmaps, and says how many bytes were mapped. */
  final long unmapped(int ioas, long iova, long length) {
    MemorySegment unmap = unmapOf(ioas, iova, length);
    succeeds(ioctl(iommufd, IOMMU_IOAS_UNMAP, unmap));
    return iommu_ioas_unmap.length(unmap);
  }

  /** The argument of IOMMU_IOAS_IOVA_RANGES, with room for so many. */
  final MemorySegment rangesOf(int ioas, int room, MemorySegment into) {
    MemorySegment ranges = sized(iommu_ioas_iova_ranges.layout());
    iommu_ioas_iova_ranges.ioas_id(ranges, ioas);
    iommu_ioas_iova_ranges.num_iovas(ranges, room);
    iommu_ioas_iova_ranges.allowed_iovas(ranges, into.address());
    return ranges;
  }

  final List<Range> ranges(int ioas) {
    int room = 8;
    MemorySegment into = iommu_iova_range.allocateArray(room, (bytes, align) -> zeros(bytes));
    MemorySegment ranges = rangesOf(ioas, room, into);
    succeeds(ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, ranges));
    return read(into, iommu_ioas_iova_ranges.num_iovas(ranges));
  }

  static List<Range> read(MemorySegment array, int count) {
    List<Range> ranges = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      MemorySegment range = iommu_iova_range.asSlice(array, i);
      ranges.add(new Range(iommu_iova_range.start(range), iommu_iova_range.last(range)));
    }
    return ranges;
  }

  final MemorySegment arrayOf(Range... ranges) {
    MemorySegment array = zeros(iommu_iova_range.sizeof() * ranges.length);
    for (int i = 0; i < ranges.length; i++) {
      MemorySegment range = iommu_iova_range.asSlice(array, i);
      iommu_iova_range.start(range, ranges[i].start);
      iommu_iova_range.last(range, ranges[i].last);
    }
    return array;
  }

  /** The argument of IOMMU_HWPT_ALLOC, without data. */
  final MemorySegment hwptOf(int flags, int device, int parent) {
    MemorySegment alloc = sized(iommu_hwpt_alloc.layout());
    iommu_hwpt_alloc.flags(alloc, flags);
    iommu_hwpt_alloc.dev_id(alloc, device);
    iommu_hwpt_alloc.pt_id(alloc, parent);
    return alloc;
  }

  final int hwpt(int device, int parent) {
    MemorySegment alloc = hwptOf(0, device, parent);
    succeeds(ioctl(iommufd, IOMMU_HWPT_ALLOC, alloc));
    int id = iommu_hwpt_alloc.out_hwpt_id(alloc);
    assertThat(id).isPositive();
    return id;
  }
}
