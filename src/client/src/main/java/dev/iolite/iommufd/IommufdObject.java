package dev.iolite.iommufd;

import dev.iolite.kernel.Fd;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.iommu_destroy;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** An object of an iommufd, destroyed when closed. It does not outlive its iommufd. */
final class IommufdObject implements AutoCloseable {
  private final Fd iommufd;
  private final int id;
  private final String name;
  private boolean destroyed;

  IommufdObject(Fd iommufd, int id, String name) {
    this.iommufd = iommufd;
    this.id = id;
    this.name = name;
  }

  @Override
  public synchronized void close() {
    if (destroyed || iommufd.isClosed()) {
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment destroy = iommu_destroy.allocate(arena);
      iommu_destroy.size(destroy, (int) iommu_destroy.sizeof());
      iommu_destroy.id(destroy, id);
      iommufd.ioctl(IommufdIoctls.IOMMU_DESTROY, destroy);
    }
    destroyed = true;
  }

  @Override
  public String toString() {
    return name + " of " + iommufd;
  }
}
