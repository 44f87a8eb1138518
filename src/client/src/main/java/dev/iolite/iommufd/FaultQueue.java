package dev.iolite.iommufd;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.iommu_fault_alloc;
import dev.iolite.uapi.iommufd.iommu_hwpt_page_response;
import dev.iolite.uapi.iommufd.iommu_hwpt_pgfault;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The page faults of devices, which are answered here. Made by {@link Iommufd#allocFaultQueue}, and
 * given to the page tables whose faults it gets; close it after them.
 *
 * <p>poll(2) says that it is readable while there are faults. Safe for use by several threads.
 */
public final class FaultQueue implements AutoCloseable {
  private static final int FIRST_ROOM = 64;

  /** The kernel gives a group of faults as a whole, however large it is. */
  private static final int MOST_ROOM = 1 << 16;

  private final Fd fd;
  private final int id;
  private final IommufdObject object;

  private FaultQueue(Fd iommufd, Fd fd, int id) {
    this.fd = fd;
    this.id = id;
    this.object = new IommufdObject(iommufd, id, "fault queue " + Integer.toUnsignedString(id));
  }

  static FaultQueue alloc(Fd iommufd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment alloc = iommu_fault_alloc.allocate(arena);
      iommu_fault_alloc.size(alloc, (int) iommu_fault_alloc.sizeof());
      iommufd.ioctl(IommufdIoctls.IOMMU_FAULT_QUEUE_ALLOC, alloc);
      int id = iommu_fault_alloc.out_fault_id(alloc);
      Fd fd =
          Fd.owned(
              iommufd.kernel(),
              FdKind.FAULT_QUEUE,
              iommu_fault_alloc.out_fault_fd(alloc),
              Integer.toUnsignedString(id) + " of " + iommufd);
      return new FaultQueue(iommufd, fd, id);
    }
  }

  /** The descriptor that is read and written. */
  public Fd fd() {
    return fd;
  }

  /** Its id, unsigned. */
  public int id() {
    return id;
  }

  /**
   * Takes faults from the queue, without waiting. See
   * drivers/iommu/iommufd/eventq.c:iommufd_fault_fops_read.
   *
   * @return whole groups; empty if there is none
   * @throws KernelException what read(2) said
   */
  public List<PageFault> read() {
    try (Arena arena = Arena.ofConfined()) {
      for (int room = FIRST_ROOM; ; room *= 4) {
        MemorySegment faults = iommu_hwpt_pgfault.allocateArray(room, arena);
        try {
          long count = fd.read(faults) / iommu_hwpt_pgfault.sizeof();
          List<PageFault> read = new ArrayList<>();
          for (int i = 0; i < count; i++) {
            read.add(PageFault.of(iommu_hwpt_pgfault.asSlice(faults, i)));
          }
          return read;
        } catch (KernelException e) {
          if (e.errno() != Errno.EINVAL || room >= MOST_ROOM) {
            throw e;
          }
        }
      }
    }
  }

  /**
   * Answers a group of faults. See drivers/iommu/iommufd/eventq.c:iommufd_fault_fops_write.
   *
   * @param cookie what the group's faults have
   * @throws KernelException EINVAL: there is no such group, or it was answered, or its device was
   *     detached
   */
  public void respond(int cookie, PageResponse response) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment answer = iommu_hwpt_page_response.allocate(arena);
      iommu_hwpt_page_response.cookie(answer, cookie);
      iommu_hwpt_page_response.code(answer, response.code());
      fd.writeWhole(answer);
    }
  }

  /**
   * Closes the descriptor, which holds the queue, and destroys the queue by IOMMU_DESTROY. Faults
   * that were not answered are answered by the kernel when the queue is destroyed
   * (drivers/iommu/iommufd/eventq.c:iommufd_fault_destroy).
   *
   * <p>Close the page tables that use it first. Otherwise they go on putting faults into a queue
   * that nobody can read any more, and a device that waits for an answer gets it only when it is
   * detached (iommufd_auto_response_faults).
   *
   * @throws KernelException EBUSY: a page table uses it. The descriptor is closed all the same, and
   *     this can be closed again
   */
  @Override
  public void close() {
    fd.close();
    object.close();
  }

  @Override
  public String toString() {
    return object.toString();
  }
}
