package dev.iolite.iommufd;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HeldMemory;
import dev.iolite.kernel.IoasId;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_ioas_allow_iovas;
import dev.iolite.uapi.iommufd.iommu_ioas_copy;
import dev.iolite.uapi.iommufd.iommu_ioas_iova_ranges;
import dev.iolite.uapi.iommufd.iommu_ioas_map;
import dev.iolite.uapi.iommufd.iommu_ioas_map_file;
import dev.iolite.uapi.iommufd.iommu_ioas_noiommu_get_pa;
import dev.iolite.uapi.iommufd.iommu_ioas_unmap;
import dev.iolite.uapi.iommufd.iommu_iova_range;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * An I/O address space: the memory that the devices attached to it see.
 *
 * <p>Mappings may be made before and after devices are attached. Memory is pinned from the moment a
 * device is attached or a page table is made from the IOAS; until then, a mapping is only recorded,
 * so errors that concern the memory itself (EFAULT, ENOMEM) do not occur earlier.
 *
 * <p>Safe for use by several threads, except that no thread may use a mapping while another unmaps
 * it.
 */
public final class Ioas implements AutoCloseable {
  private static final int FIRST_GUESS = 16;
  private static final long EVERYTHING = -1;

  private final Fd iommufd;
  private final IoasId id;
  private final Set<IovaMapping> mappings = ConcurrentHashMap.newKeySet();
  private final IommufdObject object;

  Ioas(Fd iommufd, IoasId id) {
    this.iommufd = iommufd;
    this.id = id;
    this.object = new IommufdObject(iommufd, id.value(), id.toString());
  }

  /** Its id, to attach devices to. */
  public IoasId id() {
    return id;
  }

  /**
   * Maps memory of this process at an address of the caller's choice, by IOMMU_IOAS_MAP.
   *
   * <p>The pages are pinned: the device keeps reaching them even if the process unmaps them. See
   * drivers/iommu/iommufd/ioas.c:iommufd_ioas_map and io_pagetable.c:iopt_map_user_pages.
   *
   * @param iova the first address, a multiple of the IOAS's alignment
   * @param memory native memory; address and size are multiples of the alignment (the page size as
   *     soon as a device is attached)
   * @throws dev.iolite.kernel.KernelException EEXIST: something is already mapped in the range.
   *     EINVAL: the range is reserved or beyond what an attached device can reach, or not aligned,
   *     or empty. EOVERFLOW: the range extends beyond 2<sup>64</sup>. EFAULT: the memory does not
   *     exist, or is not writable although the access requires it. ENOMEM: the memlock limit is
   *     reached. ENOENT: the IOAS is destroyed
   * @throws IllegalArgumentException if the memory is on the Java heap, or read-only although the
   *     device may write to it
   */
  public IovaMapping map(long iova, MemorySegment memory, IovaAccess access) {
    return mapMemory(Iommufd.IOMMU_IOAS_MAP_FIXED_IOVA(), iova, memory, access);
  }

  /**
   * Like {@link #map}, but at an address that the kernel chooses: never 0, inside the ranges of
   * {@link #allow} if there are any, and aligned so that huge pages can be used.
   *
   * @throws dev.iolite.kernel.KernelException as for {@link #map}, and ENOSPC: no free range is
   *     large enough
   */
  public IovaMapping mapAnywhere(MemorySegment memory, IovaAccess access) {
    return mapMemory(0, 0, memory, access);
  }

  private IovaMapping mapMemory(int flags, long iova, MemorySegment memory, IovaAccess access) {
    if (memory.isReadOnly() && access != IovaAccess.READ) {
      throw new IllegalArgumentException(
          "a device can't be let write to a segment that is read-only");
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment map = iommu_ioas_map.allocate(arena);
      iommu_ioas_map.size(map, (int) iommu_ioas_map.sizeof());
      iommu_ioas_map.flags(map, flags | access.flags());
      iommu_ioas_map.ioas_id(map, id.value());
      iommu_ioas_map.user_va(map, memory.address());
      iommu_ioas_map.length(map, memory.byteSize());
      iommu_ioas_map.iova(map, iova);
      HeldMemory.during(memory, () -> iommufd.ioctl(IommufdIoctls.IOMMU_IOAS_MAP, map));
      return mapped(
          iommu_ioas_map.iova(map),
          memory.byteSize(),
          access,
          "memory at 0x" + Long.toHexString(memory.address()));
    }
  }

  /**
   * Maps part of a file at an address of the caller's choice, by IOMMU_IOAS_MAP_FILE.
   *
   * <p>The file is a memfd, whose pages are pinned as by {@link #map}, or a dma-buf that VFIO
   * exported over a single range of a BAR. If the kernel revokes that dma-buf (reset, memory decode
   * off), the device loses it for good: the mapping stays, but it must be unmapped and made again.
   * Any other file is refused only when its pages are needed: here if a device is attached,
   * otherwise when one is attached. See drivers/iommu/iommufd/ioas.c:iommufd_ioas_map_file and
   * io_pagetable.c:iopt_map_file_pages.
   *
   * @param iova the first address, a multiple of the IOAS's alignment
   * @param file a memfd or dma-buf; may be closed afterwards
   * @param start where the part starts in the file, in bytes
   * @param bytes the length of the part, a multiple of the alignment
   * @throws dev.iolite.kernel.KernelException as for {@link #map}, and EBADF: no such descriptor.
   *     EINVAL: beyond the end of the dma-buf, or not a memfd. EOPNOTSUPP: a dma-buf that VFIO did
   *     not export, or that has several ranges. ENODEV: the dma-buf is revoked. Pages of a dma-buf
   *     do not count towards the memlock limit
   */
  public IovaMapping mapFile(long iova, Fd file, long start, long bytes, IovaAccess access) {
    return mapFile(Iommufd.IOMMU_IOAS_MAP_FIXED_IOVA(), iova, file, start, bytes, access);
  }

  /**
   * Like {@link #mapFile}, but at an address that the kernel chooses as for {@link #mapAnywhere}.
   */
  public IovaMapping mapFileAnywhere(Fd file, long start, long bytes, IovaAccess access) {
    return mapFile(0, 0, file, start, bytes, access);
  }

  private IovaMapping mapFile(
      int flags, long iova, Fd file, long start, long bytes, IovaAccess access) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment map = iommu_ioas_map_file.allocate(arena);
      iommu_ioas_map_file.size(map, (int) iommu_ioas_map_file.sizeof());
      iommu_ioas_map_file.flags(map, flags | access.flags());
      iommu_ioas_map_file.ioas_id(map, id.value());
      iommu_ioas_map_file.fd(map, file.number());
      iommu_ioas_map_file.start(map, start);
      iommu_ioas_map_file.length(map, bytes);
      iommu_ioas_map_file.iova(map, iova);
      iommufd.ioctl(IommufdIoctls.IOMMU_IOAS_MAP_FILE, map);
      return mapped(
          iommu_ioas_map_file.iova(map),
          bytes,
          access,
          file + " from 0x" + Long.toHexString(start));
    }
  }

  /**
   * Maps memory that is already mapped in another IOAS of the same iommufd, at an address of the
   * caller's choice, by IOMMU_IOAS_COPY. The pages are pinned once, and stay pinned until neither
   * IOAS maps them. See drivers/iommu/iommufd/ioas.c:iommufd_ioas_copy.
   *
   * @param iova the first address, a multiple of the IOAS's alignment
   * @param source what to map
   * @throws dev.iolite.kernel.KernelException as for {@link #map}, and ENOENT: the source is no
   *     longer mapped, or its IOAS belongs to another iommufd. EPERM: the access includes writing,
   *     but the source was mapped only for reading
   */
  public IovaMapping copy(long iova, IovaMapping source, IovaAccess access) {
    return copy(Iommufd.IOMMU_IOAS_MAP_FIXED_IOVA(), iova, source, access);
  }

  /** Like {@link #copy}, but at an address that the kernel chooses as for {@link #mapAnywhere}. */
  public IovaMapping copyAnywhere(IovaMapping source, IovaAccess access) {
    return copy(0, 0, source, access);
  }

  private IovaMapping copy(int flags, long iova, IovaMapping source, IovaAccess access) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment copy = iommu_ioas_copy.allocate(arena);
      iommu_ioas_copy.size(copy, (int) iommu_ioas_copy.sizeof());
      iommu_ioas_copy.flags(copy, flags | access.flags());
      iommu_ioas_copy.dst_ioas_id(copy, id.value());
      iommu_ioas_copy.src_ioas_id(copy, source.ioas().id().value());
      iommu_ioas_copy.length(copy, source.bytes());
      iommu_ioas_copy.dst_iova(copy, iova);
      iommu_ioas_copy.src_iova(copy, source.iova());
      iommufd.ioctl(IommufdIoctls.IOMMU_IOAS_COPY, copy);
      return mapped(iommu_ioas_copy.dst_iova(copy), source.bytes(), access, source.what());
    }
  }

  private IovaMapping mapped(long iova, long bytes, IovaAccess access, String what) {
    IovaMapping mapping = new IovaMapping(this, IovaRange.of(iova, bytes), access, what);
    mappings.add(mapping);
    return mapping;
  }

  boolean holds(IovaMapping mapping) {
    return mappings.contains(mapping) && !iommufd.isClosed();
  }

  /** The mappings that were made here and still exist, from low to high addresses. */
  public List<IovaMapping> mappings() {
    return mappings.stream()
        .filter(this::holds)
        .sorted((a, b) -> Long.compareUnsigned(a.iova(), b.iova()))
        .toList();
  }

  /**
   * Unmaps every mapping that lies in a range, by IOMMU_IOAS_UNMAP. See
   * drivers/iommu/iommufd/ioas.c:iommufd_ioas_unmap and io_pagetable.c:iopt_unmap_iova_range.
   *
   * @return how many bytes were unmapped
   * @throws dev.iolite.kernel.KernelException ENOENT: nothing is mapped there, or the range cuts
   *     through a mapping; EBUSY: the kernel itself uses a mapping. In both cases, the kernel has
   *     unmapped everything in the range below the mapping at which it stopped, but {@link
   *     IovaMapping#isMapped} does not reflect that
   */
  public long unmap(IovaRange range) {
    // To the kernel, the largest length means "everything", and the length of the whole space does
    // not fit into 64 bits.
    return range.equals(IovaRange.ALL) ? unmapAll() : unmap(range.first(), range.bytes(), range);
  }

  /**
   * Unmaps everything. It is not an error if nothing is mapped.
   *
   * @return how many bytes were unmapped
   * @throws dev.iolite.kernel.KernelException EBUSY: the kernel itself uses a mapping
   */
  public long unmapAll() {
    return unmap(0, EVERYTHING, IovaRange.ALL);
  }

  private long unmap(long iova, long bytes, IovaRange range) {
    // Recorded before the call: another thread may map something as soon as the range is free.
    List<IovaMapping> inside =
        mappings.stream().filter(mapping -> range.contains(mapping.range())).toList();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment unmap = iommu_ioas_unmap.allocate(arena);
      iommu_ioas_unmap.size(unmap, (int) iommu_ioas_unmap.sizeof());
      iommu_ioas_unmap.ioas_id(unmap, id.value());
      iommu_ioas_unmap.iova(unmap, iova);
      iommu_ioas_unmap.length(unmap, bytes);
      iommufd.ioctl(IommufdIoctls.IOMMU_IOAS_UNMAP, unmap);
      inside.forEach(mappings::remove);
      return iommu_ioas_unmap.length(unmap);
    }
  }

  /**
   * Where this IOAS can map, by IOMMU_IOAS_IOVA_RANGES: anywhere while it is new, and in fewer
   * places with each device. Ask again after a device is attached or detached. See
   * drivers/iommu/iommufd/ioas.c:iommufd_ioas_iova_ranges.
   *
   * @throws dev.iolite.kernel.KernelException ENOENT: the IOAS is destroyed
   */
  public IovaRanges ranges() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment query = iommu_ioas_iova_ranges.allocate(arena);
      iommu_ioas_iova_ranges.size(query, (int) iommu_ioas_iova_ranges.sizeof());
      iommu_ioas_iova_ranges.ioas_id(query, id.value());
      int capacity = FIRST_GUESS;
      while (true) {
        MemorySegment array = iommu_iova_range.allocateArray(capacity, arena);
        iommu_ioas_iova_ranges.num_iovas(query, capacity);
        iommu_ioas_iova_ranges.allowed_iovas(query, array.address());
        int result = iommufd.ioctl(IommufdIoctls.IOMMU_IOAS_IOVA_RANGES, query, Errno.EMSGSIZE);
        int count = iommu_ioas_iova_ranges.num_iovas(query);
        if (result == 0 && Integer.compareUnsigned(count, capacity) > 0) {
          throw iommufd.malformed(
              IommufdIoctls.IOMMU_IOAS_IOVA_RANGES,
              query,
              result,
              ", and more ranges than there was room for");
        }
        if (result == 0) {
          return new IovaRanges(
              read(array, count), iommu_ioas_iova_ranges.out_iova_alignment(query));
        }
        if (count <= capacity) {
          throw iommufd.failed(IommufdIoctls.IOMMU_IOAS_IOVA_RANGES, query, result);
        }
        capacity = count;
      }
    }
  }

  private static List<IovaRange> read(MemorySegment array, int count) {
    List<IovaRange> ranges = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      MemorySegment range = iommu_iova_range.asSlice(array, i);
      ranges.add(new IovaRange(iommu_iova_range.start(range), iommu_iova_range.last(range)));
    }
    return ranges;
  }

  /**
   * Requires that ranges stay usable, by IOMMU_IOAS_ALLOW_IOVAS: from now on, a device that cannot
   * reach all of them cannot be attached, and {@code mapAnywhere} uses no other addresses. Replaces
   * the ranges required before; an empty list requires nothing. See
   * drivers/iommu/iommufd/ioas.c:iommufd_ioas_allow_iovas.
   *
   * @param ranges the ranges, of at least two bytes each, none overlapping another
   * @throws dev.iolite.kernel.KernelException EADDRINUSE: an attached device cannot reach one of
   *     them. EINVAL: they overlap, or one has a single byte
   */
  public void allow(List<IovaRange> ranges) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment array = iommu_iova_range.allocateArray(ranges.size(), arena);
      for (int i = 0; i < ranges.size(); i++) {
        MemorySegment range = iommu_iova_range.asSlice(array, i);
        iommu_iova_range.start(range, ranges.get(i).first());
        iommu_iova_range.last(range, ranges.get(i).last());
      }
      MemorySegment allow = iommu_ioas_allow_iovas.allocate(arena);
      iommu_ioas_allow_iovas.size(allow, (int) iommu_ioas_allow_iovas.sizeof());
      iommu_ioas_allow_iovas.ioas_id(allow, id.value());
      iommu_ioas_allow_iovas.num_iovas(allow, ranges.size());
      iommu_ioas_allow_iovas.allowed_iovas(allow, array.address());
      iommufd.ioctl(IommufdIoctls.IOMMU_IOAS_ALLOW_IOVAS, allow);
    }
  }

  /**
   * Whether contiguous pages may be combined into larger pages of the IOMMU, by IOMMU_OPTION; true
   * for a new IOAS. See drivers/iommu/iommufd/ioas.c:iommufd_ioas_option_huge_pages.
   *
   * @throws dev.iolite.kernel.KernelException ENOENT: the IOAS is destroyed
   */
  public boolean hugePages() {
    return IommufdOption.get(iommufd, Iommufd.IOMMU_OPTION_HUGE_PAGES(), id.value()) != 0;
  }

  /**
   * Sets whether contiguous pages may be combined into larger pages of the IOMMU, by IOMMU_OPTION.
   * See drivers/iommu/iommufd/io_pagetable.c:iopt_disable_large_pages.
   *
   * @throws dev.iolite.kernel.KernelException EINVAL: switched off while a device is attached and
   *     something is mapped
   */
  public void setHugePages(boolean allowed) {
    IommufdOption.set(iommufd, Iommufd.IOMMU_OPTION_HUGE_PAGES(), id.value(), allowed ? 1 : 0);
  }

  /**
   * Where mapped memory is for a device without an IOMMU, by IOMMU_IOAS_NOIOMMU_GET_PA. See
   * drivers/iommu/iommufd/io_pagetable.c:iopt_get_phys.
   *
   * @param range what is asked about; its first address must be mapped
   * @return the memory from the first address as far as it is contiguous, and no further than asked
   * @throws dev.iolite.kernel.KernelException EPERM: this needs CAP_SYS_RAWIO. ENOENT: nothing is
   *     mapped there. EINVAL: it is a dma-buf that was revoked, or the range is {@link
   *     IovaRange#ALL}, whose length the call cannot say. EOPNOTSUPP: the IOAS has no such device,
   *     or the kernel was built without CONFIG_VFIO_NOIOMMU
   */
  public PhysicalRange physical(IovaRange range) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment get = iommu_ioas_noiommu_get_pa.allocate(arena);
      iommu_ioas_noiommu_get_pa.size(get, (int) iommu_ioas_noiommu_get_pa.sizeof());
      iommu_ioas_noiommu_get_pa.ioas_id(get, id.value());
      iommu_ioas_noiommu_get_pa.iova(get, range.first());
      iommu_ioas_noiommu_get_pa.length(get, range.bytes());
      iommufd.ioctl(IommufdIoctls.IOMMU_IOAS_NOIOMMU_GET_PA, get);
      return new PhysicalRange(
          iommu_ioas_noiommu_get_pa.out_phys(get), iommu_ioas_noiommu_get_pa.length(get));
    }
  }

  /**
   * Destroys the IOAS and everything mapped in it, by IOMMU_DESTROY. Does nothing if it or its
   * iommufd is already closed. After an error, it still exists and can be closed again. See
   * drivers/iommu/iommufd/main.c:iommufd_destroy.
   *
   * @throws dev.iolite.kernel.KernelException EBUSY: a device is attached to it, or a page table
   *     was made from it
   */
  @Override
  public void close() {
    object.close();
    mappings.clear();
  }

  /** For example {@code IOAS 1 of iommufd 7 (/dev/iommu)}. */
  @Override
  public String toString() {
    return object.toString();
  }
}
