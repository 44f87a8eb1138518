package dev.iolite.mock.kvm;

import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_cpuid_entry2;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Leaves of CPUID, as an array of struct kvm_cpuid_entry2. */
record CpuidEntries(MemorySegment array) {
  static final int EAX = 0;
  static final int EBX = 1;
  static final int ECX = 2;
  static final int EDX = 3;

  private static final long VALUES_BYTES = kvm_cpuid_entry2.padding$offset();
  private static final int INDEXED = Kvm.KVM_CPUID_FLAG_SIGNIFCANT_INDEX();

  /** Makes entries of zeros. */
  static CpuidEntries allocate(int count) {
    return new CpuidEntries(kvm_cpuid_entry2.allocateArray(count, Arena.ofAuto()));
  }

  int count() {
    return (int) (array.byteSize() / kvm_cpuid_entry2.sizeof());
  }

  /** Fills an entry with a leaf and its four registers. */
  void set(int position, int leaf, int... registers) {
    setPlain(position, leaf, registers);
    kvm_cpuid_entry2.flags(
        kvm_cpuid_entry2.asSlice(array, position), isIndexed(leaf) ? INDEXED : 0);
  }

  /** Fills an entry with a leaf, whatever its subleaf, and its four registers. */
  void setPlain(int position, int leaf, int... registers) {
    MemorySegment entry = kvm_cpuid_entry2.asSlice(array, position);
    kvm_cpuid_entry2.function(entry, leaf);
    for (int register = EAX; register <= EDX; register++) {
      register(entry, register, registers[register]);
    }
  }

  /**
   * Whether a leaf has subleaves, for the leaves used here;
   * arch/x86/kvm/cpuid.c:cpuid_function_is_indexed.
   */
  private static boolean isIndexed(int leaf) {
    return leaf == 4 || leaf == 7 || leaf == 0xd;
  }

  /**
   * A register of a leaf; 0 if the leaf is not present. The subleaf is ignored where it has no
   * meaning (arch/x86/kvm/cpuid.c:kvm_find_cpuid_entry2).
   */
  int register(int leaf, int subleaf, int register) {
    int position = find(leaf, subleaf);
    return position < 0 ? 0 : register(kvm_cpuid_entry2.asSlice(array, position), register);
  }

  boolean hasLeaf(int leaf) {
    return find(leaf, 0) >= 0;
  }

  /** Whether it has the same entries in the same order; padding is ignored. */
  boolean isSameAs(CpuidEntries other) {
    if (count() != other.count()) {
      return false;
    }
    for (int i = 0; i < count(); i++) {
      MemorySegment mine = kvm_cpuid_entry2.asSlice(array, i).asSlice(0, VALUES_BYTES);
      if (mine.mismatch(kvm_cpuid_entry2.asSlice(other.array, i).asSlice(0, VALUES_BYTES)) >= 0) {
        return false;
      }
    }
    return true;
  }

  boolean has(CpuFeature feature) {
    return (register(feature.leaf, feature.subleaf, feature.register) >>> feature.bit & 1) != 0;
  }

  /** Sets or clears a bit of a leaf, if the leaf is present. */
  void change(int leaf, int register, int bit, boolean on) {
    int position = find(leaf, 0);
    if (position >= 0) {
      MemorySegment entry = kvm_cpuid_entry2.asSlice(array, position);
      int before = register(entry, register) & ~(1 << bit);
      register(entry, register, on ? before | 1 << bit : before);
    }
  }

  private int find(int leaf, int subleaf) {
    for (int i = 0; i < count(); i++) {
      MemorySegment entry = kvm_cpuid_entry2.asSlice(array, i);
      boolean isIndexed = (kvm_cpuid_entry2.flags(entry) & INDEXED) != 0;
      if (kvm_cpuid_entry2.function(entry) == leaf
          && (!isIndexed || kvm_cpuid_entry2.index(entry) == subleaf)) {
        return i;
      }
    }
    return -1;
  }

  private static int register(MemorySegment entry, int register) {
    return switch (register) {
      case EAX -> kvm_cpuid_entry2.eax(entry);
      case EBX -> kvm_cpuid_entry2.ebx(entry);
      case ECX -> kvm_cpuid_entry2.ecx(entry);
      default -> kvm_cpuid_entry2.edx(entry);
    };
  }

  private static void register(MemorySegment entry, int register, int value) {
    switch (register) {
      case EAX -> kvm_cpuid_entry2.eax(entry, value);
      case EBX -> kvm_cpuid_entry2.ebx(entry, value);
      case ECX -> kvm_cpuid_entry2.ecx(entry, value);
      default -> kvm_cpuid_entry2.edx(entry, value);
    }
  }
}
