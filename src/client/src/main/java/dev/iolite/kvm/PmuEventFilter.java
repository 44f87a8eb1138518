package dev.iolite.kvm;

import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_pmu_event_filter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * Which events the guest's performance counters count.
 *
 * @param action what happens to the events listed; the opposite happens to all others
 * @param fixedCounters the fixed counters that the action is for, a bit for each
 * @param isMasked whether the events are those of {@link #masked}, not raw ones
 * @param events up to 300 events: each a code of an event select register without its other bits,
 *     or what {@link #masked} made
 */
public record PmuEventFilter(
    Action action, int fixedCounters, boolean isMasked, List<Long> events) {
  /** What happens to events. */
  public enum Action {
    /** They are counted. */
    ALLOW(Kvm.KVM_PMU_EVENT_ALLOW()),
    /** They are not counted. */
    DENY(Kvm.KVM_PMU_EVENT_DENY());

    private final int number;

    Action(int number) {
      this.number = number;
    }
  }

  private static final int MASK_SHIFT = Kvm.KVM_PMU_MASKED_ENTRY_UMASK_MASK_SHIFT();
  private static final int MATCH_SHIFT = 8;

  /** Copies the list. */
  public PmuEventFilter {
    events = List.copyOf(events);
  }

  /** Lets all events be counted, as at first. */
  public static PmuEventFilter none() {
    return new PmuEventFilter(Action.DENY, 0, false, List.of());
  }

  /**
   * An event with all the unit masks that match; KVM_PMU_ENCODE_MASKED_ENTRY of asm/kvm.h.
   *
   * @param select the event select, 12 bits
   * @param mask which bits of the unit mask are compared
   * @param match what they must be
   * @param isExcluded whether such events are taken out of those that other entries match
   */
  public static long masked(int select, int mask, int match, boolean isExcluded) {
    return (select & 0xffL)
        | (select & 0xf00L) << 24
        | (mask & 0xffL) << MASK_SHIFT
        | (match & 0xffL) << MATCH_SHIFT
        | (isExcluded ? Kvm.KVM_PMU_MASKED_ENTRY_EXCLUDE() : 0);
  }

  MemorySegment allocate(Arena arena) {
    MemorySegment filter =
        arena.allocate(
            kvm_pmu_event_filter.sizeof() + events.size() * (long) Long.BYTES, Long.BYTES);
    kvm_pmu_event_filter.action(filter, action.number);
    kvm_pmu_event_filter.nevents(filter, events.size());
    kvm_pmu_event_filter.fixed_counter_bitmap(filter, fixedCounters);
    kvm_pmu_event_filter.flags(filter, isMasked ? (int) Kvm.KVM_PMU_EVENT_FLAG_MASKED_EVENTS() : 0);
    for (int i = 0; i < events.size(); i++) {
      filter.set(
          ValueLayout.JAVA_LONG,
          kvm_pmu_event_filter.sizeof() + i * (long) Long.BYTES,
          events.get(i));
    }
    return filter;
  }
}
