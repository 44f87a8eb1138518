package dev.iolite.mock.device.nvme;

import dev.iolite.mock.device.DeviceHost;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Queue;

/** Where commands that have ended are told; it may be full for a while. */
final class CompletionQueue {
  private static final int ENTRY_BYTES = 16;

  private final long address;
  private final int entries;
  private final int vector;
  private final boolean interrupts;
  private final Queue<Ended> waiting = new ArrayDeque<>();
  private int head;
  private int tail;
  private boolean phase = true;

  /** A command that has ended. */
  private record Ended(SubmissionQueue from, short command, int result, int status) {}

  CompletionQueue(long address, int entries, int vector, boolean interrupts) {
    this.address = address;
    this.entries = entries;
    this.vector = vector;
    this.interrupts = interrupts;
  }

  int vector() {
    return vector;
  }

  boolean hasInterrupts() {
    return interrupts;
  }

  /** Whether there are entries that the driver has not taken. */
  boolean isPending() {
    return head != tail;
  }

  /** How many commands of a submission queue are not told yet. */
  long waiting(SubmissionQueue from) {
    return waiting.stream().filter(ended -> ended.from == from).count();
  }

  void add(SubmissionQueue from, Command command, int result, int status) {
    waiting.add(new Ended(from, command.id(), result, status));
  }

  /** The driver has taken the entries before this one; returns false if there is none such. */
  boolean take(int newHead) {
    if (newHead >= entries) {
      return false;
    }
    head = newHead;
    return true;
  }

  /** Writes entries for those that wait, as far as there is room. */
  void post(DeviceHost host) {
    while (!waiting.isEmpty() && (tail + 1) % entries != head) {
      Ended ended = waiting.remove();
      MemorySegment entry = MemorySegment.ofArray(new byte[ENTRY_BYTES]);
      entry.set(Layouts.INT32, 0, ended.result);
      entry.set(Layouts.INT16, 8, (short) ended.from.head());
      entry.set(Layouts.INT16, 10, (short) ended.from.id());
      entry.set(Layouts.INT16, 12, ended.command);
      entry.set(Layouts.INT16, 14, (short) (ended.status << 1 | (phase ? 1 : 0)));
      host.write(address + (long) tail * ENTRY_BYTES, entry);
      tail++;
      if (tail == entries) {
        tail = 0;
        phase = !phase;
      }
    }
  }
}
