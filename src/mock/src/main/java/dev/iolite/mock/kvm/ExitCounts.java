package dev.iolite.mock.kvm;

import dev.iolite.uapi.kvm.Kvm;

/** How often a vCPU has left its guest; arch/x86/kvm/x86.c:kvm_vcpu_stats_desc. */
final class ExitCounts {
  private long exits;
  private long toPorts;
  private long toMemory;
  private long halts;

  /** Counts an exit by its reason. */
  void exited(int reason) {
    exits++;
    toPorts += reason == Kvm.KVM_EXIT_IO() ? 1 : 0;
    toMemory += reason == Kvm.KVM_EXIT_MMIO() ? 1 : 0;
    halts += reason == Kvm.KVM_EXIT_HLT() ? 1 : 0;
  }

  /** The count with the kernel's name; 0 if the model does not count that. */
  long of(String name) {
    return switch (name) {
      case "exits" -> exits;
      case "io_exits" -> toPorts;
      case "mmio_exits" -> toMemory;
      case "halt_exits" -> halts;
      default -> 0;
    };
  }
}
