package dev.iolite.mock.iommufd;

import dev.iolite.mock.core.OpenFile;

/**
 * The file that events are read from. It keeps the context open, and the queue from being destroyed
 * (eventq.c:iommufd_eventq_init, iommufd_eventq_fops_release).
 */
abstract class EventQueueFile extends OpenFile {
  private final IommufdObject queue;

  /** A file with one reference, which the caller gives to a descriptor. */
  EventQueueFile(IommufdObject queue) {
    super(queue.context().process());
    this.queue = queue;
    queue.context().keepOpen();
    queue.get();
  }

  @Override
  protected void release() {
    queue.put();
    queue.context().letClose();
  }
}
