package dev.iolite.iommufd;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.IoasId;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_vfio_ioas;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * The IOAS that an iommufd uses as a VFIO container's address space, by IOMMU_VFIO_IOAS. The kernel
 * makes one when the first group is given the iommufd for a container. See
 * drivers/iommu/iommufd/vfio_compat.c:iommufd_vfio_ioas.
 *
 * <p>Safe for use by several threads.
 */
public final class VfioIoas {
  private final Fd iommufd;

  VfioIoas(Fd iommufd) {
    this.iommufd = iommufd;
  }

  /** Which it is; empty if there is none (ENODEV). */
  public Optional<IoasId> get() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment call = call(arena, Iommufd.IOMMU_VFIO_IOAS_GET(), 0);
      return iommufd.ioctl(IommufdIoctls.IOMMU_VFIO_IOAS, call, Errno.ENODEV) < 0
          ? Optional.empty()
          : Optional.of(new IoasId(iommu_vfio_ioas.ioas_id(call)));
    }
  }

  /**
   * Uses an IOAS from now on.
   *
   * @throws dev.iolite.kernel.KernelException ENOENT: there is no such IOAS
   */
  public void set(IoasId ioas) {
    try (Arena arena = Arena.ofConfined()) {
      iommufd.ioctl(
          IommufdIoctls.IOMMU_VFIO_IOAS, call(arena, Iommufd.IOMMU_VFIO_IOAS_SET(), ioas.value()));
    }
  }

  /** Uses none from now on; the IOAS stays. */
  public void clear() {
    try (Arena arena = Arena.ofConfined()) {
      iommufd.ioctl(IommufdIoctls.IOMMU_VFIO_IOAS, call(arena, Iommufd.IOMMU_VFIO_IOAS_CLEAR(), 0));
    }
  }

  private static MemorySegment call(Arena arena, int operation, int ioas) {
    MemorySegment call = iommu_vfio_ioas.allocate(arena);
    iommu_vfio_ioas.size(call, (int) iommu_vfio_ioas.sizeof());
    iommu_vfio_ioas.op(call, (short) operation);
    iommu_vfio_ioas.ioas_id(call, ioas);
    return call;
  }
}
