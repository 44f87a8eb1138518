package dev.iolite.kvm;

import dev.iolite.uapi.kvm.Kvm;

/**
 * A number that KVM counts for a VM or a vCPU, as the kernel describes it.
 *
 * @param name the kernel's name
 * @param type how it changes
 * @param unit what it counts
 * @param base the base of its exponent
 * @param exponent what to multiply it with, as a power of the base: -9 for nanoseconds
 * @param count how many values it has: 1, or one for each bucket of a histogram
 * @param bucketSize how wide a bucket of a linear histogram is
 * @param offset where its values are in the data, in bytes
 */
public record Statistic(
    String name,
    Type type,
    Unit unit,
    Base base,
    int exponent,
    int count,
    int bucketSize,
    int offset) {

  /** How a number changes: KVM_STATS_TYPE_. */
  public enum Type {
    /** It only grows. */
    CUMULATIVE,
    /** It goes up and down. */
    INSTANT,
    /** It is the most that there was. */
    PEAK,
    /** Counts by value, in buckets of the same width. */
    LINEAR_HISTOGRAM,
    /** Counts by value, in buckets that are each twice as wide as the one before. */
    LOGARITHMIC_HISTOGRAM,
    /** A type that is newer than this library. */
    OTHER
  }

  /** What a number counts: KVM_STATS_UNIT_. */
  public enum Unit {
    /** Things. */
    NONE,
    /** Bytes. */
    BYTES,
    /** Seconds. */
    SECONDS,
    /** Cycles of a processor. */
    CYCLES,
    /** 0 for false, 1 for true. */
    BOOLEAN,
    /** A unit that is newer than this library. */
    OTHER
  }

  /** The base of an exponent: KVM_STATS_BASE_. */
  public enum Base {
    /** Powers of 10. */
    POW10,
    /** Powers of 2. */
    POW2,
    /** A base that is newer than this library. */
    OTHER
  }

  static Type type(int flags) {
    return of(Type.values(), (flags & Kvm.KVM_STATS_TYPE_MASK()) >> Kvm.KVM_STATS_TYPE_SHIFT());
  }

  static Unit unit(int flags) {
    return of(Unit.values(), (flags & Kvm.KVM_STATS_UNIT_MASK()) >> Kvm.KVM_STATS_UNIT_SHIFT());
  }

  static Base base(int flags) {
    return of(Base.values(), (flags & Kvm.KVM_STATS_BASE_MASK()) >> Kvm.KVM_STATS_BASE_SHIFT());
  }

  /** The constants are in the order of the kernel's numbers, with OTHER as the last one. */
  private static <E> E of(E[] all, int number) {
    return all[Math.min(number, all.length - 1)];
  }
}
