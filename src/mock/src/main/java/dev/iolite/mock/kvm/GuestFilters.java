package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_msr_filter;
import dev.iolite.uapi.kvm.kvm_msr_filter_range;
import dev.iolite.uapi.kvm.kvm_pmu_event_filter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Filters of MSRs and of events of the performance counters. The model's guests have no such
 * counters, so those are only checked.
 */
final class GuestFilters {
  /** arch/x86/kvm/pmu.c: KVM_PMU_EVENT_FILTER_MAX_EVENTS. */
  private static final int MOST_EVENTS = 300;

  /** arch/x86/kvm/svm/pmu.c: AMD64_EVENTSEL_EVENT. */
  private static final long EVENT_SELECT = 0xf_0000_00ffL;

  private GuestFilters() {}

  /** KVM_X86_SET_MSR_FILTER; arch/x86/kvm/msrs.c:kvm_vm_ioctl_set_msr_filter. */
  static MsrAccess msrs(Task task, long argument) {
    MemorySegment filter = task.in(argument, kvm_msr_filter.sizeof());
    int flags = kvm_msr_filter.flags(filter);
    int deny = Kvm.KVM_MSR_FILTER_DEFAULT_DENY();
    refuseIf((flags & ~Kvm.KVM_MSR_FILTER_VALID_MASK()) != 0, Errno.EINVAL);
    boolean isEmpty = true;
    for (int i = 0; i < Kvm.KVM_MSR_FILTER_MAX_RANGES(); i++) {
      isEmpty &= kvm_msr_filter_range.nmsrs(kvm_msr_filter.ranges(filter, i)) == 0;
    }
    refuseIf(isEmpty && (flags & deny) != 0, Errno.EINVAL);
    List<MsrAccess.Range> ranges = new ArrayList<>();
    for (int i = 0; i < Kvm.KVM_MSR_FILTER_MAX_RANGES(); i++) {
      MemorySegment range = kvm_msr_filter.ranges(filter, i);
      if (kvm_msr_filter_range.nmsrs(range) != 0) {
        ranges.add(range(task, range));
      }
    }
    return new MsrAccess((flags & deny) == 0, ranges);
  }

  /** arch/x86/kvm/msrs.c:kvm_add_msr_filter. */
  private static MsrAccess.Range range(Task task, MemorySegment range) {
    int count = kvm_msr_filter_range.nmsrs(range);
    int flags = kvm_msr_filter_range.flags(range);
    refuseIf(flags == 0 || (flags & ~Kvm.KVM_MSR_FILTER_RANGE_VALID_MASK()) != 0, Errno.EINVAL);
    long bytes = (Integer.toUnsignedLong(count) + Long.SIZE - 1) / Long.SIZE * Long.BYTES;
    refuseIf(bytes > Kvm.KVM_MSR_FILTER_MAX_BITMAP_SIZE(), Errno.EINVAL);
    MemorySegment bitmap = task.in(kvm_msr_filter_range.bitmap(range).address(), bytes);
    return new MsrAccess.Range(
        flags,
        kvm_msr_filter_range.base(range),
        count,
        BitSet.valueOf(bitmap.toArray(ValueLayout.JAVA_BYTE)));
  }

  /** KVM_SET_PMU_EVENT_FILTER; arch/x86/kvm/pmu.c:kvm_vm_ioctl_set_pmu_event_filter. */
  static void events(Task task, long argument) {
    MemorySegment filter = task.in(argument, kvm_pmu_event_filter.sizeof());
    int action = kvm_pmu_event_filter.action(filter);
    refuseIf(
        action != Kvm.KVM_PMU_EVENT_ALLOW() && action != Kvm.KVM_PMU_EVENT_DENY(), Errno.EINVAL);
    long flags = Integer.toUnsignedLong(kvm_pmu_event_filter.flags(filter));
    refuseIf((flags & ~Kvm.KVM_PMU_EVENT_FLAGS_VALID_MASK()) != 0, Errno.EINVAL);
    int count = kvm_pmu_event_filter.nevents(filter);
    refuseIf(Integer.compareUnsigned(count, MOST_EVENTS) > 0, Errno.E2BIG);
    MemorySegment events =
        task.in(argument + kvm_pmu_event_filter.sizeof(), (long) count * Long.BYTES);
    if ((flags & Kvm.KVM_PMU_EVENT_FLAG_MASKED_EVENTS()) != 0) {
      for (int i = 0; i < count; i++) {
        requireMasked(events.getAtIndex(ValueLayout.JAVA_LONG, i));
      }
    }
  }

  /** arch/x86/kvm/pmu.c:is_masked_filter_valid. */
  private static void requireMasked(long event) {
    long allowed =
        EVENT_SELECT
            | Kvm.KVM_PMU_MASKED_ENTRY_UMASK_MASK()
            | Kvm.KVM_PMU_MASKED_ENTRY_UMASK_MATCH()
            | Kvm.KVM_PMU_MASKED_ENTRY_EXCLUDE();
    refuseIf((event & ~allowed) != 0, Errno.EINVAL);
  }
}
