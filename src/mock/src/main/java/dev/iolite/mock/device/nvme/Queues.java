package dev.iolite.mock.device.nvme;

import static dev.iolite.mock.device.nvme.Failed.failIf;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The queues of a controller; number 0 is the admin queue of each kind. */
final class Queues {
  /** CAP.MQES: the most entries of a queue, less one. */
  static final int MOST_ENTRIES = 0x7ff;

  private static final int CONTIGUOUS = 1;
  private static final int INTERRUPTS = 2;

  private final int pairs;
  private final int vectors;
  private final Map<Integer, SubmissionQueue> submissions = new HashMap<>();
  private final Map<Integer, CompletionQueue> completions = new HashMap<>();

  /** Whether one for I/O was ever made. */
  private boolean used;

  Queues(int pairs, int vectors) {
    this.pairs = pairs;
    this.vectors = vectors;
  }

  void clear() {
    submissions.clear();
    completions.clear();
    used = false;
  }

  boolean areUsed() {
    return used;
  }

  Optional<SubmissionQueue> submission(int id) {
    return Optional.ofNullable(submissions.get(id));
  }

  Optional<CompletionQueue> completion(int id) {
    return Optional.ofNullable(completions.get(id));
  }

  /** The admin queues. */
  void start(long submission, int submissionEntries, long completion, int completionEntries) {
    CompletionQueue ended = new CompletionQueue(completion, completionEntries, 0, true);
    completions.put(0, ended);
    submissions.put(0, new SubmissionQueue(0, submission, submissionEntries, ended));
  }

  /** Those whose commands a completion queue tells about. */
  Iterable<SubmissionQueue> of(CompletionQueue queue) {
    return submissions.values().stream().filter(each -> each.completions() == queue).toList();
  }

  /** Whether the driver has been told by an interrupt of something that it has not taken. */
  boolean arePending() {
    return completions.values().stream()
        .anyMatch(queue -> queue.hasInterrupts() && queue.isPending());
  }

  /** hw/nvme/ctrl.c:nvme_create_cq. */
  void createCompletion(Command command, long pageBytes, boolean hasMessages) {
    int id = command.low(10);
    failIf(id == 0 || id > pairs || completions.containsKey(id), Failed.INVALID_QUEUE);
    requireSize(command, pageBytes);
    int vector = command.high(11);
    failIf(!hasMessages && vector != 0, Failed.INVALID_INTERRUPT_VECTOR);
    failIf(vector >= vectors, Failed.INVALID_INTERRUPT_VECTOR);
    failIf((command.low(11) & CONTIGUOUS) == 0, Failed.INVALID_FIELD);
    boolean interrupts = (command.low(11) & INTERRUPTS) != 0;
    completions.put(
        id, new CompletionQueue(command.prp1(), command.high(10) + 1, vector, interrupts));
    used = true;
  }

  /** hw/nvme/ctrl.c:nvme_create_sq. */
  void createSubmission(Command command, long pageBytes) {
    CompletionQueue ended = completions.get(command.high(11));
    if (ended == null || command.high(11) == 0) {
      throw Failed.with(Failed.INVALID_COMPLETION_QUEUE);
    }
    int id = command.low(10);
    failIf(id == 0 || id > pairs || submissions.containsKey(id), Failed.INVALID_QUEUE);
    requireSize(command, pageBytes);
    failIf((command.low(11) & CONTIGUOUS) == 0, Failed.INVALID_FIELD);
    submissions.put(id, new SubmissionQueue(id, command.prp1(), command.high(10) + 1, ended));
  }

  private static void requireSize(Command command, long pageBytes) {
    int last = command.high(10);
    failIf(last == 0 || last > MOST_ENTRIES, Failed.INVALID_QUEUE_SIZE);
    failIf(command.prp1() % pageBytes != 0, Failed.INVALID_PRP_OFFSET);
  }

  /** hw/nvme/ctrl.c:nvme_del_sq. */
  void deleteSubmission(Command command) {
    int id = command.low(10);
    failIf(id == 0 || submissions.remove(id) == null, Failed.INVALID_QUEUE);
  }

  /** hw/nvme/ctrl.c:nvme_del_cq. */
  void deleteCompletion(Command command) {
    int id = command.low(10);
    CompletionQueue queue = completions.get(id);
    if (id == 0 || queue == null) {
      throw Failed.with(Failed.INVALID_COMPLETION_QUEUE);
    }
    if (of(queue).iterator().hasNext()) {
      throw Failed.once(Failed.INVALID_QUEUE_DELETION);
    }
    completions.remove(id);
  }
}
