package dev.iolite.mock.door;

import java.util.ArrayList;
import java.util.List;

/**
 * A part of a vector register in the XSAVE area that NT_X86_XSTATE shows (arch/x86/kernel/fpu).
 *
 * @param from which byte of the register it begins with
 * @param bytes how long it is
 * @param offset where it is in the area
 * @param feature the bit of the area's header that says it is not all zeros
 */
record VectorPart(int from, int bytes, long offset, long feature) {
  /** Where the area says which of its parts are not all zeros. */
  static final long USED = 512;

  private static final int SSE = 160;
  private static final int SSE_BYTES = 16;
  private static final int AVX = 576;
  private static final int LOW_REGISTERS = 16;
  private static final int UPPER_BYTES = 32;
  private static final int WHOLE_BYTES = 64;
  private static final int OPMASK_BYTES = 64;

  private static final long IS_SSE = 1 << 1;
  private static final long IS_AVX = 1 << 2;
  private static final long IS_UPPER = 1 << 6;
  private static final long IS_HIGH = 1 << 7;

  /** Processors of Intel keep the place of MPX, which comes before AVX-512; AMD's never had it. */
  private static final long OPMASK_AFTER_MPX = 1088;

  private static final long OPMASK = 832;
  private static final long BYTES_WITH_MPX = 2688;

  /**
   * The parts of a register.
   *
   * @param areaBytes how large the area is; what this processor lacks is not in it
   */
  static List<VectorPart> of(int register, long areaBytes) {
    long opmask = areaBytes >= BYTES_WITH_MPX ? OPMASK_AFTER_MPX : OPMASK;
    long upper = opmask + OPMASK_BYTES;
    long high = upper + (long) LOW_REGISTERS * UPPER_BYTES;
    if (register >= LOW_REGISTERS) {
      long at = high + (long) (register - LOW_REGISTERS) * WHOLE_BYTES;
      return List.of(new VectorPart(0, WHOLE_BYTES, at, IS_HIGH));
    }
    List<VectorPart> parts = new ArrayList<>();
    parts.add(new VectorPart(0, SSE_BYTES, SSE + (long) register * SSE_BYTES, IS_SSE));
    parts.add(new VectorPart(SSE_BYTES, SSE_BYTES, AVX + (long) register * SSE_BYTES, IS_AVX));
    parts.add(
        new VectorPart(UPPER_BYTES, UPPER_BYTES, upper + (long) register * UPPER_BYTES, IS_UPPER));
    parts.removeIf(part -> part.offset + part.bytes > areaBytes);
    return parts;
  }
}
