package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Descriptors;
import dev.iolite.mock.core.Refused;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_fault_alloc;
import dev.iolite.uapi.iommufd.iommu_veventq_alloc;
import java.lang.foreign.MemorySegment;
import java.util.function.IntConsumer;

/** Commands for queues that are read through their own file (eventq.c). */
final class QueueCommands {
  private static final int MOST_EVENTS = 1 << 19;

  private QueueCommands() {}

  /** IOMMU_FAULT_QUEUE_ALLOC (iommufd_fault_alloc). */
  static void faultQueue(Ucmd ucmd) {
    MemorySegment cmd = ucmd.argument();
    refuseIf(iommu_fault_alloc.flags(cmd) != 0, Errno.EOPNOTSUPP);
    var queue = new FaultQueue(ucmd.context());
    ucmd.context().objects().allocate(queue);
    iommu_fault_alloc.out_fault_id(cmd, queue.id());
    finish(ucmd, queue, new FaultFile(queue), fd -> iommu_fault_alloc.out_fault_fd(cmd, fd));
  }

  /** IOMMU_VEVENTQ_ALLOC (iommufd_veventq_alloc). */
  static void veventQueue(Ucmd ucmd) {
    MemorySegment cmd = ucmd.argument();
    int type = iommu_veventq_alloc.type(cmd);
    refuseIf(
        iommu_veventq_alloc.flags(cmd) != 0
            || iommu_veventq_alloc.__reserved(cmd) != 0
            || type == Iommufd.IOMMU_VEVENTQ_TYPE_DEFAULT(),
        Errno.EOPNOTSUPP);
    int depth = iommu_veventq_alloc.veventq_depth(cmd);
    refuseIf(depth == 0 || Integer.compareUnsigned(depth, MOST_EVENTS) > 0, Errno.EINVAL);
    IommufdViommu viommu =
        ucmd.context().objects().get(iommu_veventq_alloc.viommu_id(cmd), IommufdViommu.class);
    refuseIf(viommu.queue(type).isPresent(), Errno.EEXIST);
    var queue = new VeventQueue(viommu, type, depth);
    ucmd.context().objects().allocate(queue);
    iommu_veventq_alloc.out_veventq_id(cmd, queue.id());
    finish(ucmd, queue, new VeventFile(queue), fd -> iommu_veventq_alloc.out_veventq_fd(cmd, fd));
  }

  /** Tells the caller the queue's id and its file; if that fails, neither remains. */
  private static void finish(
      Ucmd ucmd, ContextObject queue, EventQueueFile<?> file, IntConsumer tellFd) {
    ObjectTable objects = ucmd.context().objects();
    Descriptors descriptors = ucmd.task().descriptors();
    try {
      int fd = install(descriptors, file);
      tellFd.accept(fd);
      try {
        ucmd.respond();
      } catch (Refused e) {
        descriptors.close(fd);
        throw e;
      }
    } catch (Refused e) {
      queue.destroy();
      objects.abort(queue);
      throw e;
    }
    objects.publish(queue);
  }

  private static int install(Descriptors descriptors, EventQueueFile<?> file) {
    try {
      return descriptors.install(file);
    } catch (Refused e) {
      file.put();
      throw e;
    }
  }
}
