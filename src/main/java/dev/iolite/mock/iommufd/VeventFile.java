package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Refused;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommufd_vevent_header;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;

/** The file that a vIOMMU's events are read from; a read does not wait, and there is no write. */
final class VeventFile extends EventQueueFile {
  private static final long HEADER_BYTES = iommufd_vevent_header.sizeof();

  private final VeventQueue queue;

  VeventFile(VeventQueue queue) {
    super(queue);
    this.queue = queue;
  }

  @Override
  public String name() {
    return "anon_inode:[iommufd-viommu-event]";
  }

  /**
   * eventq.c:iommufd_veventq_fops_read: whole events; EINVAL if not even a header or the first
   * event has room, EFAULT.
   */
  @Override
  public long read(long address, long bytes) {
    refuseIf(bytes < HEADER_BYTES, Errno.EINVAL);
    long done = 0;
    for (var event = queue.take(); event != null; event = queue.take()) {
      long room = bytes - done;
      if (room < HEADER_BYTES + event.data().byteSize()) {
        queue.untake(event);
        refuseIf(done == 0, Errno.EINVAL);
        break;
      }
      try {
        put(address + done, event);
      } catch (Refused e) {
        queue.untake(event);
        if (done == 0) {
          throw e;
        }
        break;
      }
      queue.delivered(event);
      done += HEADER_BYTES + event.data().byteSize();
    }
    return done;
  }

  private void put(long address, VeventQueue.Event event) {
    MemorySegment header = task().scratch(HEADER_BYTES);
    iommufd_vevent_header.flags(
        header, event.saysLost() ? Iommufd.IOMMU_VEVENTQ_FLAG_LOST_EVENTS() : 0);
    iommufd_vevent_header.sequence(header, event.sequence());
    task().out(address, header);
    task().out(address + HEADER_BYTES, event.data());
  }

  /** eventq.c:iommufd_eventq_fops_poll. */
  @Override
  public int poll() {
    return queue.isEmpty() ? 0 : Libc.POLLIN();
  }
}
