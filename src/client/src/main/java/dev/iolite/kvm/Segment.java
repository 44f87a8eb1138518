package dev.iolite.kvm;

import dev.iolite.uapi.kvm.kvm_segment;
import java.lang.foreign.MemorySegment;

/**
 * A segment register with what the processor keeps of its descriptor.
 *
 * @param selector the visible part, 16 bits
 * @param base where the segment starts
 * @param limit the offset of its last byte, after scaling by the granularity; 32 bits, unsigned
 * @param type the descriptor's type, 0 to 15
 * @param isPresent the P bit
 * @param dpl the privilege level, 0 to 3
 * @param isCodeOrData the S bit: not a system segment
 * @param isLong the L bit: 64-bit code
 * @param is32Bit the D/B bit
 * @param isPageGranular the G bit
 * @param isAvailable the AVL bit
 * @param isUnusable whether the register holds no segment
 */
public record Segment(
    int selector,
    long base,
    long limit,
    int type,
    boolean isPresent,
    int dpl,
    boolean isCodeOrData,
    boolean isLong,
    boolean is32Bit,
    boolean isPageGranular,
    boolean isAvailable,
    boolean isUnusable) {
  private static final long ALL = 0xffff_ffffL;
  private static final int EXECUTE_READ_ACCESSED = 11;
  private static final int READ_WRITE_ACCESSED = 3;

  /** Flat 64-bit code for the kernel's privilege level. */
  public static Segment code64(int selector) {
    return new Segment(
        selector, 0, ALL, EXECUTE_READ_ACCESSED, true, 0, true, true, false, true, false, false);
  }

  /** Flat data for the kernel's privilege level. */
  public static Segment data(int selector) {
    return new Segment(
        selector, 0, ALL, READ_WRITE_ACCESSED, true, 0, true, false, true, true, false, false);
  }

  static Segment of(MemorySegment segment) {
    return new Segment(
        Short.toUnsignedInt(kvm_segment.selector(segment)),
        kvm_segment.base(segment),
        Integer.toUnsignedLong(kvm_segment.limit(segment)),
        kvm_segment.type(segment),
        kvm_segment.present(segment) != 0,
        kvm_segment.dpl(segment),
        kvm_segment.s(segment) != 0,
        kvm_segment.l(segment) != 0,
        kvm_segment.db(segment) != 0,
        kvm_segment.g(segment) != 0,
        kvm_segment.avl(segment) != 0,
        kvm_segment.unusable(segment) != 0);
  }

  void store(MemorySegment segment) {
    kvm_segment.selector(segment, (short) selector);
    kvm_segment.base(segment, base);
    kvm_segment.limit(segment, (int) limit);
    kvm_segment.type(segment, (byte) type);
    kvm_segment.present(segment, bit(isPresent));
    kvm_segment.dpl(segment, (byte) dpl);
    kvm_segment.s(segment, bit(isCodeOrData));
    kvm_segment.l(segment, bit(isLong));
    kvm_segment.db(segment, bit(is32Bit));
    kvm_segment.g(segment, bit(isPageGranular));
    kvm_segment.avl(segment, bit(isAvailable));
    kvm_segment.unusable(segment, bit(isUnusable));
  }

  private static byte bit(boolean set) {
    return (byte) (set ? 1 : 0);
  }
}
