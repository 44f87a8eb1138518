package dev.iolite.mock.iommufd;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/**
 * Events of a vIOMMU (struct iommufd_veventq). An event that finds the queue full is lost. A header
 * without data, at the end of the queue, says that events were lost.
 */
final class VeventQueue extends ContextObject {
  private final IommufdViommu viommu;
  private final int type;
  private final int depth;
  private final Deque<Event> toDeliver = new ArrayDeque<>();
  private int events;
  private int sequence;

  /**
   * Makes a queue without an id.
   *
   * @param depth how many events it holds
   */
  VeventQueue(IommufdViommu viommu, int type, int depth) {
    super(viommu.context());
    this.viommu = viommu;
    this.type = type;
    this.depth = depth;
    viommu.get();
    viommu.queues().add(this);
  }

  /**
   * An event, or the notice that events were lost.
   *
   * @param sequence its number
   * @param data empty if events were lost
   */
  record Event(int sequence, MemorySegment data) {
    boolean saysLost() {
      return data.byteSize() == 0;
    }
  }

  int type() {
    return type;
  }

  boolean isEmpty() {
    return toDeliver.isEmpty();
  }

  /** driver.c:iommufd_viommu_report_event, iommufd_private.h:iommufd_vevent_handler. */
  void add(byte[] data) {
    boolean isLost = events == depth;
    Event last = toDeliver.peekLast();
    if (last != null && last.saysLost()) {
      toDeliver.removeLast();
    }
    toDeliver.add(new Event(sequence, MemorySegment.ofArray(isLost ? new byte[0] : data.clone())));
    events += isLost ? 0 : 1;
    sequence = (sequence + 1) & Integer.MAX_VALUE;
    context().process().wake();
  }

  /** Takes the event that is to be read next. */
  Optional<Event> take() {
    return Optional.ofNullable(toDeliver.poll());
  }

  /** Undoes {@link #take}; does not repeat the notice of lost events if there are other events. */
  void untake(Event event) {
    if (!event.saysLost() || toDeliver.isEmpty()) {
      toDeliver.addFirst(event);
    }
  }

  /** Called when an event was read. */
  void delivered(Event event) {
    events -= event.saysLost() ? 0 : 1;
  }

  @Override
  String kind() {
    return "vEVENTQ";
  }

  /** eventq.c:iommufd_veventq_destroy. */
  @Override
  void destroy() {
    toDeliver.clear();
    viommu.queues().remove(this);
    viommu.put();
  }
}
