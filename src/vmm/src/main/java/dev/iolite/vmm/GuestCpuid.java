package dev.iolite.vmm;

import dev.iolite.kvm.CpuidEntry;
import java.util.List;

/** What CPUID tells a guest: all that KVM supports, and the processor's own number. */
final class GuestCpuid {
  private static final int FEATURES = 1;
  private static final int TOPOLOGY = 0xb;
  private static final int TOPOLOGY_V2 = 0x1f;
  private static final int ADDRESS_SIZES = 0x8000_0008;

  private static final int ID_SHIFT = 24;
  private static final int COUNT_SHIFT = 16;
  private static final int LOW_HALF = 0xffff;
  private static final int TSC_DEADLINE = 1 << 24;
  private static final int HYPERVISOR = 1 << 31;
  private static final int LEAST_ADDRESS_BITS = 36;

  private final List<CpuidEntry> supported;
  private final boolean hasTscDeadline;

  GuestCpuid(List<CpuidEntry> supported, boolean hasTscDeadline) {
    this.supported = supported;
    this.hasTscDeadline = hasTscDeadline;
  }

  /** What a processor answers. */
  List<CpuidEntry> of(int apicId, int cpus) {
    return supported.stream().map(entry -> of(entry, apicId, cpus)).toList();
  }

  private CpuidEntry of(CpuidEntry entry, int apicId, int cpus) {
    return switch (entry.function()) {
      case FEATURES ->
          entry.with(
              entry.eax(),
              (entry.ebx() & LOW_HALF) | cpus << COUNT_SHIFT | apicId << ID_SHIFT,
              entry.ecx() | HYPERVISOR | (hasTscDeadline ? TSC_DEADLINE : 0),
              entry.edx());
      case TOPOLOGY, TOPOLOGY_V2 -> entry.with(entry.eax(), entry.ebx(), entry.ecx(), apicId);
      default -> entry;
    };
  }

  /** How many bits a guest-physical address has. */
  int addressBits() {
    return supported.stream()
        .filter(entry -> entry.function() == ADDRESS_SIZES)
        .mapToInt(entry -> entry.eax() & 0xff)
        .findFirst()
        .orElse(LEAST_ADDRESS_BITS);
  }
}
