package dev.iolite.vfio;

import dev.iolite.iommufd.IovaAccess;
import dev.iolite.iommufd.IovaRange;
import dev.iolite.kernel.DirtyBitmap;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HeldMemory;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_bitmap;
import dev.iolite.uapi.vfio.vfio_iommu_type1_dma_map;
import dev.iolite.uapi.vfio.vfio_iommu_type1_dma_unmap;
import dev.iolite.uapi.vfio.vfio_iommu_type1_info;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * The IOMMU of a container, of type 1: what its groups' devices see. Got from {@link
 * VfioContainer#setIommu}, and void once the last group has left.
 *
 * <p>What is mapped is pinned at once, and stays until it is unmapped. See
 * drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_ioctl. Safe for use by several threads, except
 * that no thread may use a mapping while another unmaps it.
 */
public final class Type1Iommu {
  private final Fd fd;
  private final ContainerExtension version;

  Type1Iommu(Fd fd, ContainerExtension version) {
    this.fd = fd;
    this.version = version;
  }

  /**
   * What it can do, by VFIO_IOMMU_GET_INFO.
   *
   * @throws KernelException ENODEV: an iommufd that stands in for a container has no IOAS yet
   * @throws MalformedReplyException if the capability chain breaks the rules
   */
  public Type1Info info() {
    try (Arena arena = Arena.ofConfined()) {
      Ioctl command =
          command(VfioIoctls.VFIO_IOMMU_GET_INFO, VfioIoctls.VFIO_IOMMU_GET_INFO_ON_IOMMUFD);
      long fixed = vfio_iommu_type1_info.sizeof();
      MemorySegment info = InfoCall.make(arena, fd, command, fixed, _ -> {}).info();
      int flags = vfio_iommu_type1_info.flags(info);
      boolean chain = (flags & Vfio.VFIO_IOMMU_INFO_CAPS()) != 0;
      return new Type1Info(
          flags,
          vfio_iommu_type1_info.iova_pgsizes(info),
          CapabilityChain.decode(
              command.name(),
              info,
              fixed,
              chain ? vfio_iommu_type1_info.cap_offset(info) : 0,
              Type1Capabilities::of));
    }
  }

  /**
   * Maps memory of this process, by VFIO_IOMMU_MAP_DMA.
   *
   * @param iova the first address, a multiple of the smallest page
   * @param memory native memory; its address and size are multiples of the smallest page
   * @throws KernelException EEXIST: something is mapped in the range; EINVAL: not aligned, empty,
   *     or where the IOMMU cannot map; EOVERFLOW: the range ends beyond 2<sup>64</sup>; EFAULT: the
   *     memory does not exist, or is not writable although the access requires it; ENOMEM: the
   *     memlock limit is reached; ENOSPC: there are as many mappings as there may be. See
   *     drivers/vfio/vfio_iommu_type1.c:vfio_dma_do_map
   */
  public void map(long iova, MemorySegment memory, IovaAccess access) {
    map(flags(access), iova, memory);
  }

  /**
   * Says where in this process what is mapped has moved to, after {@link #invalidateAddresses}: the
   * end of a live update. See drivers/vfio/vfio_iommu_type1.c:vfio_dma_do_map, VADDR.
   *
   * @param iova where the mapping begins
   * @param memory the same pages as before, as many as are mapped
   * @throws KernelException ENOENT: nothing is mapped there; EINVAL: the mapping begins elsewhere,
   *     or has another size, or its address is valid; ENOMEM: another process mapped it, and the
   *     memlock limit of this one is too low to take it over (vfio_change_dma_owner)
   */
  public void updateAddress(long iova, MemorySegment memory) {
    map(Vfio.VFIO_DMA_MAP_FLAG_VADDR(), iova, memory);
  }

  private void map(int flags, long iova, MemorySegment memory) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment map = vfio_iommu_type1_dma_map.allocate(arena);
      vfio_iommu_type1_dma_map.argsz(map, (int) map.byteSize());
      vfio_iommu_type1_dma_map.flags(map, flags);
      vfio_iommu_type1_dma_map.vaddr(map, memory.address());
      vfio_iommu_type1_dma_map.iova(map, iova);
      vfio_iommu_type1_dma_map.size(map, memory.byteSize());
      Ioctl command =
          command(VfioIoctls.VFIO_IOMMU_MAP_DMA, VfioIoctls.VFIO_IOMMU_MAP_DMA_ON_IOMMUFD);
      HeldMemory.during(memory, () -> fd.ioctl(command, map));
    }
  }

  private static int flags(IovaAccess access) {
    return switch (access) {
      case READ -> Vfio.VFIO_DMA_MAP_FLAG_READ();
      case WRITE -> Vfio.VFIO_DMA_MAP_FLAG_WRITE();
      case READ_WRITE -> Vfio.VFIO_DMA_MAP_FLAG_READ() | Vfio.VFIO_DMA_MAP_FLAG_WRITE();
    };
  }

  /**
   * Unmaps a range, by VFIO_IOMMU_UNMAP_DMA: all mappings in it. Version 1 unmaps those that begin
   * in it, however far they go, unless the range begins inside of one, in which case it unmaps
   * none.
   *
   * @return how many bytes were mapped
   * @throws KernelException EINVAL: not aligned, or the range cuts a mapping; nothing was unmapped.
   *     With an iommufd, ENOENT: the range cuts a mapping; EBUSY: the kernel itself uses one. In
   *     both cases, it has unmapped everything in the range below the mapping at which it stopped.
   *     See drivers/vfio/vfio_iommu_type1.c:vfio_dma_do_unmap and
   *     drivers/iommu/iommufd/vfio_compat.c:iommufd_vfio_unmap_dma
   */
  public long unmap(IovaRange range) {
    return unmap(0, range);
  }

  /**
   * Unmaps everything, by VFIO_IOMMU_UNMAP_DMA: {@link #unmap(IovaRange)} of {@link IovaRange#ALL}.
   * There must be {@link ContainerExtension#UNMAP_ALL}.
   *
   * @return how many bytes were mapped
   */
  public long unmapAll() {
    return unmap(IovaRange.ALL);
  }

  /**
   * Says that the addresses of this process are about to change of what is mapped in a range: the
   * beginning of a live update. Devices keep reaching the pages. There must be {@link
   * ContainerExtension#UPDATE_VADDR}.
   *
   * @param range whole mappings; {@link IovaRange#ALL} for all that there are
   * @return how many bytes are mapped there
   * @throws KernelException EBUSY: the container has mediated devices; EINVAL: as for {@link
   *     #unmap}, or an address is invalid already
   */
  public long invalidateAddresses(IovaRange range) {
    return unmap(Vfio.VFIO_DMA_UNMAP_FLAG_VADDR(), range);
  }

  private long unmap(int flags, IovaRange range) {
    // The length of the whole space does not fit into 64 bits: 0, which is no length otherwise.
    int all = range.equals(IovaRange.ALL) ? Vfio.VFIO_DMA_UNMAP_FLAG_ALL() : 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment unmap = vfio_iommu_type1_dma_unmap.allocate(arena);
      return unmap(unmap, flags | all, range.first(), range.bytes());
    }
  }

  /**
   * Unmaps what a bitmap covers, like {@link #unmap(IovaRange)}, and sets the bits of the pages
   * that were written. Dirty tracking must be on.
   *
   * @return how many bytes were mapped
   * @throws KernelException as there, and EINVAL: the tracking is off, or the bitmap has another
   *     page size than {@link Type1Info#pageBytes}
   */
  public long unmap(DirtyBitmap dirty) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment unmap =
          arena.allocate(vfio_iommu_type1_dma_unmap.sizeof() + vfio_bitmap.sizeof(), Long.BYTES);
      int flags = Vfio.VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP();
      return Type1DirtyTracking.add(
          unmap.asSlice(vfio_iommu_type1_dma_unmap.sizeof()),
          dirty,
          () -> unmap(unmap, flags, dirty.first(), dirty.bytes()));
    }
  }

  private long unmap(MemorySegment unmap, int flags, long iova, long bytes) {
    vfio_iommu_type1_dma_unmap.argsz(unmap, (int) unmap.byteSize());
    vfio_iommu_type1_dma_unmap.flags(unmap, flags);
    vfio_iommu_type1_dma_unmap.iova(unmap, iova);
    vfio_iommu_type1_dma_unmap.size(unmap, bytes);
    fd.ioctl(
        command(VfioIoctls.VFIO_IOMMU_UNMAP_DMA, VfioIoctls.VFIO_IOMMU_UNMAP_DMA_ON_IOMMUFD),
        unmap);
    return vfio_iommu_type1_dma_unmap.size(unmap);
  }

  /**
   * How it tracks dirty pages.
   *
   * @return empty if it does not: version 1 refuses the calls, although {@link #info} tells of the
   *     tracking (vfio_iommu_type1_dirty_pages), and an iommufd does not have them
   */
  public Optional<Type1DirtyTracking> dirtyTracking() {
    return info()
        .dirtyTracking()
        .filter(_ -> version != ContainerExtension.TYPE1_IOMMU)
        .map(_ -> new Type1DirtyTracking(fd));
  }

  private Ioctl command(Ioctl ofContainer, Ioctl ofIommufd) {
    return fd.kind() == FdKind.IOMMUFD ? ofIommufd : ofContainer;
  }

  @Override
  public String toString() {
    return "type 1 of " + fd;
  }
}
