package dev.iolite.mock.kvm;

import dev.iolite.uapi.kvm.Kvm;
import java.util.BitSet;
import java.util.List;

/**
 * Which MSRs a VM's guests may access; arch/x86/kvm/msrs.c:kvm_msr_allowed.
 *
 * @param others whether they may access those that are in no range
 * @param ranges the first one that contains an MSR decides
 */
record MsrAccess(boolean others, List<Range> ranges) {
  /** The MSRs of a local APIC, which no filter is about. */
  private static final int FIRST_X2APIC = 0x800;

  private static final int X2APIC_MSRS = 0x100;

  static final int READ = Kvm.KVM_MSR_FILTER_READ();
  static final int WRITE = Kvm.KVM_MSR_FILTER_WRITE();

  /** MSRs with successive indices, and of which of them the accesses are allowed. */
  record Range(int accesses, int first, int count, BitSet allowed) {
    boolean contains(int index, int access) {
      return (accesses & access) != 0
          && Integer.compareUnsigned(index - first, count) < 0
          && Integer.compareUnsigned(index, first) >= 0;
    }
  }

  /** Without a filter. */
  static MsrAccess all() {
    return new MsrAccess(true, List.of());
  }

  boolean allows(int index, int access) {
    if (Integer.compareUnsigned(index - FIRST_X2APIC, X2APIC_MSRS) < 0) {
      return true;
    }
    for (Range range : ranges) {
      if (range.contains(index, access)) {
        return range.allowed.get(index - range.first);
      }
    }
    return others;
  }
}
