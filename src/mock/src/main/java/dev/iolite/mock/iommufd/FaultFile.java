package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.IommuDevice.PageRequest;
import dev.iolite.mock.core.Refused;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hwpt_page_response;
import dev.iolite.uapi.iommufd.iommu_hwpt_pgfault;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** The file where page requests are read and answered; a write does not wait either. */
final class FaultFile extends EventQueueFile<FaultQueue.Taken> {
  private static final long REQUEST_BYTES = iommu_hwpt_pgfault.sizeof();
  private static final long RESPONSE_BYTES = iommu_hwpt_page_response.sizeof();

  private final FaultQueue queue;

  FaultFile(FaultQueue queue) {
    super(queue);
    this.queue = queue;
  }

  @Override
  public String name() {
    return "anon_inode:[iommufd-pgfault]";
  }

  /**
   * eventq.c:iommufd_fault_fops_read: whole groups; ESPIPE if the size is not a multiple of a
   * request's.
   */
  @Override
  public long read(long address, long bytes) {
    refuseIf(bytes % REQUEST_BYTES != 0, Errno.ESPIPE);
    return readWhole(address, bytes);
  }

  @Override
  Optional<FaultQueue.Taken> take() {
    return queue.take();
  }

  @Override
  void untake(FaultQueue.Taken taken) {
    queue.untake(taken);
  }

  @Override
  long size(FaultQueue.Taken taken) {
    return taken.group().requests().size() * REQUEST_BYTES;
  }

  @Override
  void put(long address, FaultQueue.Taken taken) {
    long at = address;
    for (PageRequest request : taken.group().requests()) {
      put(at, request, taken.group().handle().device().id(), taken.cookie());
      at += REQUEST_BYTES;
    }
  }

  /** eventq.c:iommufd_compose_fault_message. */
  private void put(long address, PageRequest request, int device, int cookie) {
    MemorySegment message = task().scratch(REQUEST_BYTES);
    iommu_hwpt_pgfault.flags(message, request.flags());
    iommu_hwpt_pgfault.dev_id(message, device);
    iommu_hwpt_pgfault.pasid(message, request.pasid());
    iommu_hwpt_pgfault.grpid(message, request.group());
    iommu_hwpt_pgfault.perm(message, request.permissions());
    iommu_hwpt_pgfault.addr(message, request.address());
    iommu_hwpt_pgfault.cookie(message, cookie);
    task().out(address, message);
  }

  /**
   * eventq.c:iommufd_fault_fops_write: answers; ESPIPE if the size is not a multiple of an
   * answer's, EFAULT, EINVAL for an unknown code or cookie. The answers before a bad one take
   * effect.
   */
  @Override
  public long write(long address, long bytes) {
    refuseIf(bytes % RESPONSE_BYTES != 0, Errno.ESPIPE);
    long done = 0;
    try {
      while (done < bytes) {
        answer(task().in(address + done, RESPONSE_BYTES));
        done += RESPONSE_BYTES;
      }
    } catch (Refused e) {
      if (done == 0) {
        throw e;
      }
    }
    return done;
  }

  private void answer(MemorySegment response) {
    int code = iommu_hwpt_page_response.code(response);
    boolean isSuccess = code == Iommufd.IOMMUFD_PAGE_RESP_SUCCESS();
    refuseIf(!isSuccess && code != Iommufd.IOMMUFD_PAGE_RESP_INVALID(), Errno.EINVAL);
    refuseIf(!queue.answer(iommu_hwpt_page_response.cookie(response), isSuccess), Errno.EINVAL);
  }

  /** eventq.c:iommufd_eventq_fops_poll. */
  @Override
  public int poll() {
    return Libc.POLLOUT() | (queue.isEmpty() ? 0 : Libc.POLLIN());
  }
}
