package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_vcpu_events;
import java.lang.foreign.MemorySegment;

/** The exceptions, interrupts and NMIs of a vCPU that are on their way. */
final class GuestEvents {
  private static final int NMI_VECTOR = 2;
  private static final int LAST_EXCEPTION = 31;
  private static final int NO_VECTOR = -1;

  /** include/asm/kvm_host.h: KVM_NR_INTERRUPTS. */
  private static final int INTERRUPTS = 256;

  /** arch/x86/kvm/x86.c:process_nmi: as many NMIs wait. */
  private static final int MOST_NMIS = 2;

  /** arch/x86/kvm/svm/svm.c:svm_get_interrupt_shadow: the processor does not tell them apart. */
  private static final int SHADOW = Kvm.KVM_X86_SHADOW_INT_MOV_SS() | Kvm.KVM_X86_SHADOW_INT_STI();

  private final KvmVm vm;
  private boolean exceptionInjected;
  private boolean exceptionPending;
  private int exception;
  private boolean hasErrorCode;
  private int errorCode;
  private boolean hasPayload;
  private long payload;
  private boolean interruptInjected;
  private int interrupt;
  private boolean shadow;
  private boolean nmiInjected;
  private int nmis;
  private boolean nmiMasked;
  private boolean tripleFault;
  private int externalVector = NO_VECTOR;

  GuestEvents(KvmVm vm) {
    this.vm = vm;
  }

  /** arch/x86/kvm/x86.c:kvm_vcpu_ioctl_x86_get_vcpu_events. */
  void store(MemorySegment events) {
    events.fill((byte) 0);
    boolean payloads = vm.settings().exceptionPayload();
    MemorySegment raised = kvm_vcpu_events.exception(events);
    kvm_vcpu_events.exception.injected(
        raised, bit(exceptionInjected || (!payloads && exceptionPending)));
    kvm_vcpu_events.exception.pending(raised, bit(exceptionPending));
    kvm_vcpu_events.exception.nr(raised, (byte) exception);
    kvm_vcpu_events.exception.has_error_code(raised, bit(hasErrorCode));
    kvm_vcpu_events.exception.error_code(raised, errorCode);
    kvm_vcpu_events.exception_has_payload(events, bit(hasPayload));
    kvm_vcpu_events.exception_payload(events, payload);
    MemorySegment interrupted = kvm_vcpu_events.interrupt(events);
    kvm_vcpu_events.interrupt.injected(interrupted, bit(interruptInjected));
    kvm_vcpu_events.interrupt.nr(interrupted, (byte) interrupt);
    kvm_vcpu_events.interrupt.shadow(interrupted, (byte) (shadow ? SHADOW : 0));
    MemorySegment nmi = kvm_vcpu_events.nmi(events);
    kvm_vcpu_events.nmi.injected(nmi, bit(nmiInjected));
    kvm_vcpu_events.nmi.pending(nmi, (byte) nmis);
    kvm_vcpu_events.nmi.masked(nmi, bit(nmiMasked));
    int flags =
        Kvm.KVM_VCPUEVENT_VALID_NMI_PENDING()
            | Kvm.KVM_VCPUEVENT_VALID_SHADOW()
            | Kvm.KVM_VCPUEVENT_VALID_SMM();
    if (payloads) {
      flags |= Kvm.KVM_VCPUEVENT_VALID_PAYLOAD();
    }
    if (vm.settings().tripleFaultEvent()) {
      flags |= Kvm.KVM_VCPUEVENT_VALID_TRIPLE_FAULT();
      MemorySegment triple = kvm_vcpu_events.triple_fault(events);
      kvm_vcpu_events.triple_fault.pending(triple, bit(tripleFault));
    }
    kvm_vcpu_events.flags(events, flags);
  }

  /**
   * arch/x86/kvm/x86.c:kvm_vcpu_ioctl_x86_set_vcpu_events, without CONFIG_KVM_SMM: the model's
   * guests have no system management mode.
   */
  void load(MemorySegment events) {
    int flags = kvm_vcpu_events.flags(events);
    int known =
        Kvm.KVM_VCPUEVENT_VALID_NMI_PENDING()
            | Kvm.KVM_VCPUEVENT_VALID_SIPI_VECTOR()
            | Kvm.KVM_VCPUEVENT_VALID_SHADOW()
            | Kvm.KVM_VCPUEVENT_VALID_SMM()
            | Kvm.KVM_VCPUEVENT_VALID_PAYLOAD()
            | Kvm.KVM_VCPUEVENT_VALID_TRIPLE_FAULT();
    refuseIf((flags & ~known) != 0, Errno.EINVAL);
    boolean withPayload = (flags & Kvm.KVM_VCPUEVENT_VALID_PAYLOAD()) != 0;
    refuseIf(withPayload && !vm.settings().exceptionPayload(), Errno.EINVAL);
    MemorySegment raised = kvm_vcpu_events.exception(events);
    boolean pending = withPayload && kvm_vcpu_events.exception.pending(raised) != 0;
    boolean injected = !pending && kvm_vcpu_events.exception.injected(raised) != 0;
    int vector = Byte.toUnsignedInt(kvm_vcpu_events.exception.nr(raised));
    refuseIf(
        (injected || pending) && (vector > LAST_EXCEPTION || vector == NMI_VECTOR), Errno.EINVAL);
    exceptionInjected = injected;
    exceptionPending = pending;
    exception = vector;
    hasErrorCode = kvm_vcpu_events.exception.has_error_code(raised) != 0;
    errorCode = kvm_vcpu_events.exception.error_code(raised);
    hasPayload = pending && kvm_vcpu_events.exception_has_payload(events) != 0;
    payload = kvm_vcpu_events.exception_payload(events);
    MemorySegment interrupted = kvm_vcpu_events.interrupt(events);
    interruptInjected = kvm_vcpu_events.interrupt.injected(interrupted) != 0;
    interrupt = Byte.toUnsignedInt(kvm_vcpu_events.interrupt.nr(interrupted));
    if ((flags & Kvm.KVM_VCPUEVENT_VALID_SHADOW()) != 0) {
      shadow = kvm_vcpu_events.interrupt.shadow(interrupted) != 0;
    }
    MemorySegment nmi = kvm_vcpu_events.nmi(events);
    nmiInjected = kvm_vcpu_events.nmi.injected(nmi) != 0;
    nmiMasked = kvm_vcpu_events.nmi.masked(nmi) != 0;
    if ((flags & Kvm.KVM_VCPUEVENT_VALID_NMI_PENDING()) != 0) {
      nmis = 0;
      addNmis(Byte.toUnsignedInt(kvm_vcpu_events.nmi.pending(nmi)));
    }
    MemorySegment smi = kvm_vcpu_events.smi(events);
    boolean isManaged =
        kvm_vcpu_events.smi.smm(smi) != 0
            || kvm_vcpu_events.smi.pending(smi) != 0
            || kvm_vcpu_events.smi.smm_inside_nmi(smi) != 0;
    refuseIf((flags & Kvm.KVM_VCPUEVENT_VALID_SMM()) != 0 && isManaged, Errno.EINVAL);
    if ((flags & Kvm.KVM_VCPUEVENT_VALID_TRIPLE_FAULT()) != 0) {
      refuseIf(!vm.settings().tripleFaultEvent(), Errno.EINVAL);
      MemorySegment triple = kvm_vcpu_events.triple_fault(events);
      tripleFault = kvm_vcpu_events.triple_fault.pending(triple) != 0;
    }
  }

  private static byte bit(boolean on) {
    return (byte) (on ? 1 : 0);
  }

  /** arch/x86/kvm/x86.c:process_nmi: one less while the guest is in the handler of another. */
  private void addNmis(int more) {
    int most = nmiMasked || nmiInjected ? MOST_NMIS - 1 : MOST_NMIS;
    nmis = Math.min(nmis + more, most);
  }

  /** KVM_NMI; arch/x86/kvm/x86.c:kvm_inject_nmi. */
  void nmi() {
    addNmis(1);
  }

  /** KVM_INTERRUPT; arch/x86/kvm/x86.c:kvm_vcpu_ioctl_interrupt. */
  void interrupt(int vector) {
    refuseIf(Integer.compareUnsigned(vector, INTERRUPTS) >= 0, Errno.EINVAL);
    if (!vm.hasIrqchip()) {
      queueInterrupt(vector);
      return;
    }
    refuseIf(!vm.hasSplitIrqchip(), Errno.ENXIO);
    refuseIf(externalVector != NO_VECTOR, Errno.EEXIST);
    externalVector = vector;
  }

  /** arch/x86/kvm/x86.h:kvm_queue_interrupt. */
  void queueInterrupt(int vector) {
    interruptInjected = true;
    interrupt = vector;
  }

  /** The interrupt that is injected; negative if none is. */
  int injectedInterrupt() {
    return interruptInjected ? interrupt : NO_VECTOR;
  }

  /** arch/x86/kvm/x86.c:kvm_vcpu_has_events, of what comes without an interrupt controller. */
  boolean wakesFromHalt() {
    return exceptionPending || tripleFault || (nmis > 0 && !nmiMasked);
  }

  /** Whether KVM_INTERRUPT has left an interrupt for the local APIC's LINT0. */
  boolean hasExternal() {
    return externalVector != NO_VECTOR;
  }

  /** Takes that interrupt's vector; arch/x86/kvm/irq.c:kvm_cpu_get_extint. */
  int takeExternal() {
    int vector = externalVector;
    externalVector = NO_VECTOR;
    return vector;
  }

  /** An instruction is over, and what the one before it kept off. */
  void endShadow() {
    shadow = false;
  }

  /** Whether the guest's last instruction keeps interrupts off for another one. */
  boolean isInShadow() {
    return shadow;
  }

  /** arch/x86/kvm/x86.c:kvm_is_exception_pending, and whether one is injected. */
  boolean hasException() {
    return exceptionPending || exceptionInjected || tripleFault;
  }

  /** arch/x86/kvm/x86.c:kvm_queue_exception. */
  void queueException(int vector) {
    exceptionPending = true;
    exception = vector;
    hasErrorCode = false;
    hasPayload = false;
  }

  /** KVM_REQ_TRIPLE_FAULT. */
  void raiseTripleFault() {
    tripleFault = true;
  }

  /** Whether the guest is to shut down; it does so once. */
  boolean takeTripleFault() {
    boolean was = tripleFault;
    tripleFault = false;
    return was;
  }

  /**
   * The next event that the guest gets now (arch/x86/kvm/x86.c:kvm_check_and_inject_events).
   *
   * @return its vector; negative if there is none
   */
  int take() {
    if (exceptionInjected || exceptionPending) {
      exceptionInjected = false;
      exceptionPending = false;
      return exception;
    }
    if (interruptInjected) {
      interruptInjected = false;
      return interrupt;
    }
    if (nmiInjected || (nmis > 0 && !nmiMasked)) {
      nmis -= nmiInjected ? 0 : 1;
      nmiInjected = false;
      nmiMasked = true;
      return NMI_VECTOR;
    }
    return NO_VECTOR;
  }
}
