package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_clock_data;
import java.lang.foreign.MemorySegment;
import java.time.Instant;

/** A VM's paravirtual clock. The host's time stamp counter is stable. */
final class VmClockState {
  /** arch/x86/kvm/x86.c: KVM_CLOCK_VALID_FLAGS. */
  static final int FLAGS =
      Kvm.KVM_CLOCK_TSC_STABLE() | Kvm.KVM_CLOCK_REALTIME() | Kvm.KVM_CLOCK_HOST_TSC();

  private static final long NANOS_PER_SECOND = 1_000_000_000;

  private long start = System.nanoTime();

  private static long realtime() {
    Instant now = Instant.now();
    return now.getEpochSecond() * NANOS_PER_SECOND + now.getNano();
  }

  /** KVM_GET_CLOCK; arch/x86/kvm/x86.c:get_kvmclock. */
  void store(MemorySegment data) {
    data.fill((byte) 0);
    kvm_clock_data.clock(data, System.nanoTime() - start);
    kvm_clock_data.flags(data, FLAGS);
    kvm_clock_data.realtime(data, realtime());
    kvm_clock_data.host_tsc(data, TimeStampCounter.host());
  }

  /** KVM_SET_CLOCK; arch/x86/kvm/x86.c:kvm_vm_ioctl_set_clock. */
  void load(MemorySegment data) {
    int flags = kvm_clock_data.flags(data);
    refuseIf((flags & ~FLAGS) != 0, Errno.EINVAL);
    long clock = kvm_clock_data.clock(data);
    if ((flags & Kvm.KVM_CLOCK_REALTIME()) != 0) {
      clock += Math.max(0, realtime() - kvm_clock_data.realtime(data));
    }
    start = System.nanoTime() - clock;
  }
}
