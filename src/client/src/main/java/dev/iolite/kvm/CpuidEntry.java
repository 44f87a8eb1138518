package dev.iolite.kvm;

import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_cpuid_entry2;
import java.lang.foreign.MemorySegment;
import java.util.OptionalInt;

/**
 * What CPUID answers for a leaf.
 *
 * @param function the leaf, the value of EAX
 * @param index the sub-leaf, the value of ECX, if the leaf has any
 * @param eax the answer in EAX
 * @param ebx the answer in EBX
 * @param ecx the answer in ECX
 * @param edx the answer in EDX
 */
public record CpuidEntry(int function, OptionalInt index, int eax, int ebx, int ecx, int edx) {

  /** The same leaf with another answer. */
  public CpuidEntry with(int newEax, int newEbx, int newEcx, int newEdx) {
    return new CpuidEntry(function, index, newEax, newEbx, newEcx, newEdx);
  }

  static CpuidEntry of(MemorySegment entry) {
    boolean isIndexed =
        (kvm_cpuid_entry2.flags(entry) & Kvm.KVM_CPUID_FLAG_SIGNIFCANT_INDEX()) != 0;
    return of(
        entry, isIndexed ? OptionalInt.of(kvm_cpuid_entry2.index(entry)) : OptionalInt.empty());
  }

  /** An entry whose index counts although no flag says so. */
  static CpuidEntry indexed(MemorySegment entry) {
    return of(entry, OptionalInt.of(kvm_cpuid_entry2.index(entry)));
  }

  private static CpuidEntry of(MemorySegment entry, OptionalInt index) {
    return new CpuidEntry(
        kvm_cpuid_entry2.function(entry),
        index,
        kvm_cpuid_entry2.eax(entry),
        kvm_cpuid_entry2.ebx(entry),
        kvm_cpuid_entry2.ecx(entry),
        kvm_cpuid_entry2.edx(entry));
  }

  void store(MemorySegment entry) {
    kvm_cpuid_entry2.function(entry, function);
    index.ifPresent(subLeaf -> {
      kvm_cpuid_entry2.flags(entry, Kvm.KVM_CPUID_FLAG_SIGNIFCANT_INDEX());
      kvm_cpuid_entry2.index(entry, subLeaf);
    });
    kvm_cpuid_entry2.eax(entry, eax);
    kvm_cpuid_entry2.ebx(entry, ebx);
    kvm_cpuid_entry2.ecx(entry, ecx);
    kvm_cpuid_entry2.edx(entry, edx);
  }
}
