package dev.iolite.mock.iommufd;

import dev.iolite.mock.core.IommuDevice.PageRequest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Page requests that wait for user space (struct iommufd_fault). */
final class FaultQueue extends ContextObject {
  private final Deque<Group> toDeliver = new ArrayDeque<>();

  /** The groups that were read, by cookie. */
  private final Map<Integer, Group> toAnswer = new TreeMap<>();

  FaultQueue(IommufdFile context) {
    super(context);
  }

  /** Requests that are answered together (struct iopf_group). */
  record Group(AttachedTranslation handle, List<PageRequest> requests, Consumer<Boolean> answer) {}

  /** eventq.c:iommufd_fault_iopf_handler. */
  void deliver(AttachedTranslation handle, List<PageRequest> requests, Consumer<Boolean> answer) {
    toDeliver.add(new Group(handle, List.copyOf(requests), answer));
    context().process().wake();
  }

  boolean isEmpty() {
    return toDeliver.isEmpty();
  }

  /** A group that was read, with the cookie that its answer will carry. */
  record Taken(int cookie, Group group) {}

  /** Takes the next group to be answered, and gives it the lowest free cookie from 1 on. */
  Optional<Taken> take() {
    Group group = toDeliver.poll();
    if (group == null) {
      return Optional.empty();
    }
    int cookie = 1;
    while (toAnswer.containsKey(cookie)) {
      cookie++;
    }
    toAnswer.put(cookie, group);
    return Optional.of(new Taken(cookie, group));
  }

  /** Undoes {@link #take}: the group can be read again. */
  void untake(Taken taken) {
    toAnswer.remove(taken.cookie);
    toDeliver.addFirst(taken.group);
  }

  /** Answers a group that was read; returns false if there is none with this cookie. */
  boolean answer(int cookie, boolean success) {
    Group group = toAnswer.remove(cookie);
    if (group != null) {
      group.answer.accept(success);
    }
    return group != null;
  }

  /**
   * Refuses all requests of a handle, whose devices no longer use this queue
   * (eventq.c:iommufd_auto_response_faults).
   */
  void refuseAllOf(AttachedTranslation handle) {
    List<Group> ended = new ArrayList<>();
    toDeliver.stream().filter(group -> group.handle.equals(handle)).forEach(ended::add);
    toAnswer.values().stream().filter(group -> group.handle.equals(handle)).forEach(ended::add);
    toDeliver.removeAll(ended);
    toAnswer.values().removeAll(ended);
    ended.forEach(group -> group.answer.accept(false));
  }

  @Override
  String kind() {
    return "fault queue";
  }

  /** eventq.c:iommufd_fault_destroy. */
  @Override
  void destroy() {
    toDeliver.forEach(group -> group.answer.accept(false));
    toAnswer.values().forEach(group -> group.answer.accept(false));
  }
}
