package dev.iolite.iommufd;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HwptId;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A page table that the guest makes, nested on one that the kernel makes. Made by {@link
 * Iommufd#allocNested} or {@link Viommu#allocNested}; close it before what it is nested on.
 *
 * <p>Safe for use by several threads.
 */
public final class NestedHwpt implements AutoCloseable {
  private final Fd iommufd;
  private final HwptId id;
  private final IommufdObject object;

  NestedHwpt(Fd iommufd, HwptId id) {
    this.iommufd = iommufd;
    this.id = id;
    this.object = new IommufdObject(iommufd, id.value(), "nested " + id);
  }

  /** Its id, to attach devices to. */
  public HwptId id() {
    return id;
  }

  /**
   * Has the IOMMU forget what the guest has changed, by IOMMU_HWPT_INVALIDATE.
   *
   * @param requests all of one kind
   * @return how many were done, and why not all: EINVAL (an address, or more than 2<sup>19</sup>
   *     requests), EOPNOTSUPP (a flag, or the driver does not do it), EFAULT
   */
  public InvalidationResult invalidate(List<? extends Invalidation> requests) {
    return InvalidateCall.make(iommufd, id.value(), requests);
  }

  /**
   * Like {@link #invalidate(List)}, for a caller that keeps its requests in native memory.
   *
   * @param type the type of the requests, an IOMMU_HWPT_INVALIDATE_DATA_ constant
   * @param entries an array of structs of that type
   * @param count how many they are, more than 0
   */
  public InvalidationResult invalidate(int type, MemorySegment entries, int count) {
    return InvalidateCall.make(iommufd, id.value(), type, entries, count);
  }

  /**
   * Destroys the page table, by IOMMU_DESTROY. Does nothing if it or its iommufd is already closed.
   *
   * @throws dev.iolite.kernel.KernelException EBUSY: a device is attached to it
   */
  @Override
  public void close() {
    object.close();
  }

  @Override
  public String toString() {
    return object.toString();
  }
}
