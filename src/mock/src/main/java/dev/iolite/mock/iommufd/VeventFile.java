package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommufd_vevent_header;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** The file where a vIOMMU's events are read; it can't be written. */
final class VeventFile extends EventQueueFile<VeventQueue.Event> {
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

  /** eventq.c:iommufd_veventq_fops_read: EINVAL if not even a header fits. */
  @Override
  public long read(long address, long bytes) {
    refuseIf(bytes < HEADER_BYTES, Errno.EINVAL);
    return readWhole(address, bytes);
  }

  @Override
  Optional<VeventQueue.Event> take() {
    return queue.take();
  }

  @Override
  void untake(VeventQueue.Event event) {
    queue.untake(event);
  }

  @Override
  long size(VeventQueue.Event event) {
    return HEADER_BYTES + event.data().byteSize();
  }

  @Override
  void delivered(VeventQueue.Event event) {
    queue.delivered(event);
  }

  @Override
  void put(long address, VeventQueue.Event event) {
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
