package dev.iolite.kvm;

import dev.iolite.uapi.kvm.Kvm;
import java.util.Optional;

/** The reasons why a vCPU leaves the guest: the KVM_EXIT_ numbers that x86 uses. */
public enum ExitReason {
  /** The processor gave a reason that KVM does not know. */
  UNKNOWN(Kvm.KVM_EXIT_UNKNOWN()),
  /** KVM_EXIT_EXCEPTION. */
  EXCEPTION(Kvm.KVM_EXIT_EXCEPTION()),
  /** Port I/O. */
  IO(Kvm.KVM_EXIT_IO()),
  /** A hypercall that is configured to leave the guest. */
  HYPERCALL(Kvm.KVM_EXIT_HYPERCALL()),
  /** A breakpoint or a single step. */
  DEBUG(Kvm.KVM_EXIT_DEBUG()),
  /** The HLT instruction, without an interrupt controller in the kernel. */
  HLT(Kvm.KVM_EXIT_HLT()),
  /** An access to an address that has no slot. */
  MMIO(Kvm.KVM_EXIT_MMIO()),
  /** The guest takes interrupts now. */
  IRQ_WINDOW_OPEN(Kvm.KVM_EXIT_IRQ_WINDOW_OPEN()),
  /** A triple fault. */
  SHUTDOWN(Kvm.KVM_EXIT_SHUTDOWN()),
  /** The processor refused to enter the guest. */
  FAIL_ENTRY(Kvm.KVM_EXIT_FAIL_ENTRY()),
  /** A signal. */
  INTR(Kvm.KVM_EXIT_INTR()),
  /** KVM_EXIT_SET_TPR. */
  SET_TPR(Kvm.KVM_EXIT_SET_TPR()),
  /** KVM_EXIT_TPR_ACCESS. */
  TPR_ACCESS(Kvm.KVM_EXIT_TPR_ACCESS()),
  /** KVM_EXIT_NMI. */
  NMI(Kvm.KVM_EXIT_NMI()),
  /** KVM could not go on. */
  INTERNAL_ERROR(Kvm.KVM_EXIT_INTERNAL_ERROR()),
  /** The guest asked for a shutdown or a reset, or crashed. */
  SYSTEM_EVENT(Kvm.KVM_EXIT_SYSTEM_EVENT()),
  /** KVM_EXIT_IOAPIC_EOI. */
  IOAPIC_EOI(Kvm.KVM_EXIT_IOAPIC_EOI()),
  /** KVM_EXIT_HYPERV. */
  HYPERV(Kvm.KVM_EXIT_HYPERV()),
  /** A read of a model-specific register that is configured to leave the guest. */
  X86_RDMSR(Kvm.KVM_EXIT_X86_RDMSR()),
  /** A write of a model-specific register that is configured to leave the guest. */
  X86_WRMSR(Kvm.KVM_EXIT_X86_WRMSR()),
  /** KVM_EXIT_DIRTY_RING_FULL. */
  DIRTY_RING_FULL(Kvm.KVM_EXIT_DIRTY_RING_FULL()),
  /** KVM_EXIT_AP_RESET_HOLD. */
  AP_RESET_HOLD(Kvm.KVM_EXIT_AP_RESET_HOLD()),
  /** KVM_EXIT_X86_BUS_LOCK. */
  X86_BUS_LOCK(Kvm.KVM_EXIT_X86_BUS_LOCK()),
  /** KVM_EXIT_XEN. */
  XEN(Kvm.KVM_EXIT_XEN()),
  /** KVM_EXIT_NOTIFY. */
  NOTIFY(Kvm.KVM_EXIT_NOTIFY()),
  /** An access that the memory at the address does not allow. */
  MEMORY_FAULT(Kvm.KVM_EXIT_MEMORY_FAULT()),
  /** A TDX guest asked for something. */
  TDX(Kvm.KVM_EXIT_TDX()),
  /** An SNP guest asked for certificates. */
  SNP_REQ_CERTS(Kvm.KVM_EXIT_SNP_REQ_CERTS());

  private static final ExitReason[] ALL = values();

  private final int number;

  ExitReason(int number) {
    this.number = number;
  }

  /** The reason with a number; empty if x86 does not use it. */
  public static Optional<ExitReason> of(int number) {
    for (ExitReason reason : ALL) {
      if (reason.number == number) {
        return Optional.of(reason);
      }
    }
    return Optional.empty();
  }

  /** The number in kvm_run. */
  public int number() {
    return number;
  }
}
