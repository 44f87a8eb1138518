package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.uapi.kvm.kvm_memory_attributes;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.TreeMap;

/** Which guest-physical addresses are private (struct kvm's mem_attr_array). */
final class MemoryAttributes {
  private static final long OFFSET_IN_PAGE = Page.BYTES - 1;

  private final KvmVm vm;

  /**
   * The private ranges: each maps its first byte to the byte after its last; no two are adjacent.
   */
  private final TreeMap<Long, Long> ranges = new TreeMap<>(Long::compareUnsigned);

  MemoryAttributes(KvmVm vm) {
    this.vm = vm;
  }

  /** virt/kvm/kvm_main.c:kvm_vm_ioctl_set_mem_attributes. */
  void set(MemorySegment argument) {
    long attributes = kvm_memory_attributes.attributes(argument);
    long start = kvm_memory_attributes.address(argument);
    long bytes = kvm_memory_attributes.size(argument);
    refuseIf(kvm_memory_attributes.flags(argument) != 0, Errno.EINVAL);
    refuseIf((attributes & ~vm.supportedAttributes()) != 0, Errno.EINVAL);
    refuseIf(bytes == 0 || Long.compareUnsigned(start + bytes, start) < 0, Errno.EINVAL);
    refuseIf(((start | bytes) & OFFSET_IN_PAGE) != 0, Errno.EINVAL);
    forget(start, start + bytes);
    if (attributes != 0) {
      add(start, start + bytes);
    }
  }

  private void forget(long from, long to) {
    Map.Entry<Long, Long> before = ranges.lowerEntry(from);
    if (before != null && Long.compareUnsigned(before.getValue(), from) > 0) {
      ranges.put(before.getKey(), from);
      if (Long.compareUnsigned(before.getValue(), to) > 0) {
        ranges.put(to, before.getValue());
        return;
      }
    }
    Map.Entry<Long, Long> last = ranges.lowerEntry(to);
    if (last != null && Long.compareUnsigned(last.getValue(), to) > 0) {
      ranges.put(to, last.getValue());
    }
    ranges.subMap(from, true, to, false).clear();
  }

  /** Adds a range that is not private yet, and joins it with its neighbours. */
  private void add(long from, long to) {
    long start = from;
    Map.Entry<Long, Long> before = ranges.lowerEntry(from);
    if (before != null && before.getValue() == from) {
      start = before.getKey();
    }
    Long after = ranges.remove(to);
    ranges.put(start, after == null ? to : after);
  }

  /** virt/kvm: kvm_mem_is_private. */
  boolean isPrivate(long gpa) {
    if (ranges.isEmpty()) {
      return false;
    }
    Map.Entry<Long, Long> below = ranges.floorEntry(gpa);
    return below != null && Long.compareUnsigned(gpa, below.getValue()) < 0;
  }

  /** The private ranges, by address; live. */
  Map<Long, Long> ranges() {
    return ranges;
  }
}
