package dev.iolite.mock.device.nvme;

import dev.iolite.mock.device.DeviceHost;
import java.lang.foreign.MemorySegment;

/** Where the driver puts commands. */
final class SubmissionQueue {
  private final int id;
  private final long address;
  private final int entries;
  private final CompletionQueue completions;
  private int head;
  private int tail;

  SubmissionQueue(int id, long address, int entries, CompletionQueue completions) {
    this.id = id;
    this.address = address;
    this.entries = entries;
    this.completions = completions;
  }

  int id() {
    return id;
  }

  int head() {
    return head;
  }

  CompletionQueue completions() {
    return completions;
  }

  /** The driver has put commands before this entry; returns false if there is none such. */
  boolean put(int newTail) {
    if (newTail >= entries) {
      return false;
    }
    tail = newTail;
    return true;
  }

  /** Whether there is a command, and room for what is to be told about it. */
  boolean hasNext() {
    return head != tail && completions.waiting(this) < entries;
  }

  Command next(DeviceHost host) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[Command.BYTES]);
    host.read(address + (long) head * Command.BYTES, bytes);
    head = (head + 1) % entries;
    return new Command(bytes);
  }
}
