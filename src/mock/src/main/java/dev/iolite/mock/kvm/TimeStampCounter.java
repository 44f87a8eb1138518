package dev.iolite.mock.kvm;

/** A vCPU's time stamp counter: the host's, with an offset. */
final class TimeStampCounter {
  private static final long NANOS_PER_MICRO = 1000;
  private static final long KHZ_PER_MHZ = 1000;

  private long offset;

  /** The host's counter, at the rate {@link KvmPlatform#TSC_KHZ}. */
  static long host() {
    return System.nanoTime() / NANOS_PER_MICRO * (KvmPlatform.TSC_KHZ / KHZ_PER_MHZ);
  }

  long value() {
    return host() + offset;
  }

  /** arch/x86/kvm/x86.c:kvm_synchronize_tsc. */
  void set(long value) {
    offset = value - host();
  }

  /** KVM_VCPU_TSC_OFFSET. */
  long offset() {
    return offset;
  }

  void setOffset(long to) {
    offset = to;
  }
}
