package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.Refused;
import java.util.ArrayList;
import java.util.List;

/**
 * The kernel's own access to a range of an IOAS, for hardware that uses it by physical address
 * (struct iommufd_access, internal). It has an id, which is never revealed, and locks what is
 * mapped in the range.
 */
final class KernelAccess extends ContextObject {
  private final IommufdIoas ioas;
  private final List<Hold> holds = new ArrayList<>();

  private KernelAccess(IommufdIoas ioas) {
    super(ioas.context());
    this.ioas = ioas;
  }

  private record Hold(Area area, long firstPage, long lastPage) {}

  /**
   * Pins and locks whole pages of an IOAS (viommu.c:iommufd_hw_queue_alloc_phys).
   *
   * @param first the first IOVA
   * @param last the last IOVA
   * @throws Refused EADDRINUSE, EINVAL, EPERM, EFAULT, ENOENT
   */
  static KernelAccess open(IommufdIoas ioas, long first, long last) {
    var access = new KernelAccess(ioas);
    access.context().objects().allocate(access);
    access.context().objects().publish(access);
    // The caller counts as a user, so that IOMMU_DESTROY says EBUSY.
    access.get();
    try {
      ioas.table().addAccess();
    } catch (Refused e) {
      access.context().objects().destroyUser(access);
      throw e;
    }
    ioas.get();
    try {
      ioas.table().forEachIn(first, last, access::hold);
      access.requireContiguous();
      return access;
    } catch (Refused e) {
      access.close();
      throw e;
    }
  }

  /** device.c:iommufd_access_pin_pages, for one area. */
  private void hold(Area area, long from, long to) {
    long firstByte = area.byteAt(from);
    long lastByte = area.byteAt(to);
    boolean isAligned = firstByte % Page.BYTES == 0 && lastByte % Page.BYTES == Page.BYTES - 1;
    refuseIf(!isAligned, Errno.EINVAL);
    refuseIf(!area.readable, Errno.EPERM);
    refuseIf(area.pages.isDmaBuf(), Errno.EINVAL);
    var hold = new Hold(area, firstByte / Page.BYTES, lastByte / Page.BYTES);
    area.pages.hold(hold.firstPage, hold.lastPage);
    area.locks++;
    holds.add(hold);
  }

  /** Requires that all pages are contiguous in memory: here, in one area and pinned at once. */
  private void requireContiguous() {
    refuseIf(holds.size() != 1, Errno.EFAULT);
    Hold only = holds.getFirst();
    refuseIf(
        only.area.pages instanceof PinnedPages pinned
            && !pinned.isContiguous(only.firstPage, only.lastPage),
        Errno.EFAULT);
  }

  /** Releases everything (viommu.c:iommufd_hw_queue_destroy_access). */
  void close() {
    for (Hold hold : holds) {
      hold.area.locks--;
      hold.area.pages.drop(hold.firstPage, hold.lastPage);
    }
    ioas.table().removeAccess();
    ioas.put();
    context().objects().destroyUser(this);
  }

  @Override
  String kind() {
    return "access";
  }

  @Override
  void destroy() {}
}
