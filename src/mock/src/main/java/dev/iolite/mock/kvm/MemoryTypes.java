package dev.iolite.mock.kvm;

import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/** A vCPU's memory type range registers; arch/x86/kvm/mtrr.c. */
final class MemoryTypes {
  private static final int CAP = 0xfe;

  private static final int FIRST_VARIABLE = 0x200;
  private static final int LAST_VARIABLE = 0x20f;
  private static final int FIXED_64K = 0x250;
  private static final int FIXED_16K_80000 = 0x258;
  private static final int FIXED_16K_A0000 = 0x259;
  private static final int FIRST_FIXED_4K = 0x268;
  private static final int LAST_FIXED_4K = 0x26f;
  private static final int DEFAULT_TYPE = 0x2ff;

  /** Eight variable ranges, fixed ranges and write-combining. */
  private static final long CAP_VALUE = 0x508;

  private static final long DEFAULT_TYPE_BITS = 0xcff;
  private static final long RESERVED_IN_BASE = 0xf00;
  private static final long RESERVED_IN_MASK = 0x7ff;
  private static final int TYPE_MASK = 0xff;

  /** Types 0, 1, 4, 5 and 6. */
  private static final int VALID_TYPES = 0x73;

  private final Map<Integer, Long> values = new HashMap<>();

  private static boolean isVariable(int index) {
    return index >= FIRST_VARIABLE && index <= LAST_VARIABLE;
  }

  private static boolean isFixed(int index) {
    return index == FIXED_64K
        || index == FIXED_16K_80000
        || index == FIXED_16K_A0000
        || (index >= FIRST_FIXED_4K && index <= LAST_FIXED_4K);
  }

  private static boolean has(int index) {
    return isVariable(index) || isFixed(index) || index == DEFAULT_TYPE;
  }

  /** kvm_mtrr_get_msr; empty if it is none of them. */
  OptionalLong get(int index) {
    if (index == CAP) {
      return OptionalLong.of(CAP_VALUE);
    }
    return has(index) ? OptionalLong.of(values.getOrDefault(index, 0L)) : OptionalLong.empty();
  }

  /**
   * kvm_mtrr_set_msr.
   *
   * @param reserved the bits of an address that the guest's processor does not have
   * @return whether it is one of them, and has this value now
   */
  boolean set(int index, long value, long reserved) {
    boolean isSet = has(index) && isValid(index, value, reserved);
    if (isSet) {
      values.put(index, value);
    }
    return isSet;
  }

  /** kvm_mtrr_valid. */
  private static boolean isValid(int index, long value, long reserved) {
    if (index == DEFAULT_TYPE) {
      return (value & ~DEFAULT_TYPE_BITS) == 0 && isType(value);
    }
    if (isFixed(index)) {
      for (int shift = 0; shift < Long.SIZE; shift += Byte.SIZE) {
        if (!isType(value >>> shift)) {
          return false;
        }
      }
      return true;
    }
    boolean isBase = (index & 1) == 0;
    return isBase
        ? isType(value) && (value & (reserved | RESERVED_IN_BASE)) == 0
        : (value & (reserved | RESERVED_IN_MASK)) == 0;
  }

  private static boolean isType(long value) {
    long type = value & TYPE_MASK;
    return type < Byte.SIZE && ((1 << type) & VALID_TYPES) != 0;
  }
}
