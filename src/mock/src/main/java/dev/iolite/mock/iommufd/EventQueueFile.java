package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.Refused;
import java.util.Optional;

/**
 * The file from which events are read. A read does not wait. The file keeps the context open and
 * the queue from being destroyed (eventq.c:iommufd_eventq_init, iommufd_eventq_fops_release).
 *
 * @param <E> a unit that is read completely or not at all
 */
abstract class EventQueueFile<E> extends OpenFile {
  private final ContextObject queue;

  /** Makes a file with one reference, which the caller hands to a descriptor. */
  EventQueueFile(ContextObject queue) {
    super(queue.context().process());
    this.queue = queue;
    queue.context().keepOpen();
    queue.get();
  }

  /** Takes the event to be read next. */
  abstract Optional<E> take();

  /** Undoes {@link #take}. */
  abstract void untake(E event);

  abstract long size(E event);

  abstract void put(long address, E event);

  /** Called when an event was read. */
  void delivered(E event) {}

  /**
   * eventq.c:iommufd_fault_fops_read, iommufd_veventq_fops_read: as many as fit; EINVAL if not even
   * the first fits, EFAULT.
   */
  final long readWhole(long address, long bytes) {
    long done = 0;
    for (var next = take(); next.isPresent(); next = take()) {
      E event = next.get();
      try {
        refuseIf(size(event) > bytes - done, Errno.EINVAL);
        put(address + done, event);
      } catch (Refused e) {
        untake(event);
        if (done == 0) {
          throw e;
        }
        break;
      }
      delivered(event);
      done += size(event);
    }
    return done;
  }

  @Override
  protected void release() {
    queue.put();
    queue.context().letClose();
  }
}
