package dev.iolite.kvm;

import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_msr_filter;
import dev.iolite.uapi.kvm.kvm_msr_filter_range;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.List;
import java.util.Set;

/**
 * Which model-specific registers a guest may access. An access that is denied is an exception in
 * the guest, or an exit if {@link MsrExitReason#FILTER} is enabled.
 *
 * @param others what happens to the registers that are in no range
 * @param ranges up to 16 ranges; of several that contain a register, the first one decides
 */
public record MsrFilter(Action others, List<Range> ranges) {
  /** What happens to an access. */
  public enum Action {
    /** The access is made. */
    ALLOW,
    /** The access is denied. */
    DENY
  }

  /** A kind of access. */
  public enum Access {
    /** RDMSR. */
    READ(Kvm.KVM_MSR_FILTER_READ()),
    /** WRMSR. */
    WRITE(Kvm.KVM_MSR_FILTER_WRITE());

    private final int bit;

    Access(int bit) {
      this.bit = bit;
    }
  }

  /**
   * Registers with successive indices.
   *
   * @param accesses the kinds of access that it is about, at least one
   * @param first the index of its first register
   * @param count how many registers, 1 to 12288
   * @param allowed of which of them an access is allowed, counted from the first
   */
  public record Range(Set<Access> accesses, int first, int count, BitSet allowed) {
    /** Copies the sets. */
    public Range {
      accesses = Set.copyOf(accesses);
      allowed = (BitSet) allowed.clone();
    }
  }

  /** Copies the list. */
  public MsrFilter {
    ranges = List.copyOf(ranges);
    if (ranges.size() > Kvm.KVM_MSR_FILTER_MAX_RANGES()) {
      throw new IllegalArgumentException(
          "a filter has at most %d ranges, not %d"
              .formatted(Kvm.KVM_MSR_FILTER_MAX_RANGES(), ranges.size()));
    }
  }

  /** Allows all accesses, as at first. */
  public static MsrFilter none() {
    return new MsrFilter(Action.ALLOW, List.of());
  }

  MemorySegment allocate(Arena arena) {
    MemorySegment filter = kvm_msr_filter.allocate(arena);
    kvm_msr_filter.flags(
        filter,
        others == Action.ALLOW
            ? Kvm.KVM_MSR_FILTER_DEFAULT_ALLOW()
            : Kvm.KVM_MSR_FILTER_DEFAULT_DENY());
    for (int i = 0; i < ranges.size(); i++) {
      Range range = ranges.get(i);
      MemorySegment bitmap =
          arena.allocate((range.count + Long.SIZE - 1L) / Long.SIZE * Long.BYTES, Long.BYTES);
      byte[] allowed = range.allowed.get(0, range.count).toByteArray();
      MemorySegment.copy(MemorySegment.ofArray(allowed), 0, bitmap, 0, allowed.length);
      MemorySegment to = kvm_msr_filter.ranges(filter, i);
      kvm_msr_filter_range.flags(
          to, range.accesses.stream().mapToInt(access -> access.bit).reduce(0, (a, b) -> a | b));
      kvm_msr_filter_range.base(to, range.first);
      kvm_msr_filter_range.nmsrs(to, range.count);
      kvm_msr_filter_range.bitmap(to, bitmap);
    }
    return filter;
  }
}
