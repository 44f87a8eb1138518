package dev.iolite.mock.kvm;

/** What is to interrupt a vCPU's guest: its events, and the interrupts of its local APIC. */
final class PendingEvents {
  private final CpuState cpu;
  private final GuestEvents events;
  private final LocalApic apic;

  PendingEvents(CpuState cpu, GuestEvents events, LocalApic apic) {
    this.cpu = cpu;
    this.events = events;
    this.apic = apic;
  }

  /** arch/x86/kvm/x86.c:kvm_vcpu_has_events. */
  boolean wakesFromHalt() {
    return events.wakesFromHalt() || (takesInterrupts() && hasInterrupt());
  }

  /** arch/x86/kvm/x86.c:kvm_is_interrupt_allowed. */
  private boolean takesInterrupts() {
    return cpu.flag(CpuState.INTERRUPTS) && !events.isInShadow();
  }

  /** arch/x86/kvm/irq.c:kvm_cpu_has_interrupt. */
  private boolean hasInterrupt() {
    return hasExternal() || apic.next() >= 0;
  }

  /** arch/x86/kvm/irq.c:kvm_cpu_has_extint. */
  private boolean hasExternal() {
    return events.hasExternal() && apic.acceptsExternal();
  }

  /**
   * What the guest gets now; arch/x86/kvm/x86.c:kvm_check_and_inject_events,
   * irq.c:kvm_cpu_get_interrupt.
   *
   * @return its vector; negative if there is nothing
   */
  int take() {
    int vector = events.take();
    if (vector >= 0 || !takesInterrupts() || !hasInterrupt()) {
      return vector;
    }
    if (hasExternal()) {
      return events.takeExternal();
    }
    int next = apic.next();
    apic.serve(next);
    return next;
  }
}
