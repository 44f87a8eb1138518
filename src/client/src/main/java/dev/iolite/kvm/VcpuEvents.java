package dev.iolite.kvm;

import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_vcpu_events;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * The exceptions, interrupts, NMIs and SMIs of a vCPU that are on their way: struct
 * kvm_vcpu_events. What is empty was not reported, and is left as it is by {@link
 * VcpuInjection#setEvents}.
 *
 * @param exception an exception
 * @param interrupt an interrupt
 * @param nmi non-maskable interrupts
 * @param sipiVector the vector of a SIPI; never reported
 * @param smi system management mode
 * @param tripleFault whether a triple fault is pending, with {@link
 *     Capability#X86_TRIPLE_FAULT_EVENT}
 */
public record VcpuEvents(
    VcpuException exception,
    Interrupt interrupt,
    Nmi nmi,
    OptionalInt sipiVector,
    Optional<Smi> smi,
    Optional<Boolean> tripleFault) {

  /**
   * An exception.
   *
   * @param isInjected whether the guest is being given it; without {@link
   *     Capability#EXCEPTION_PAYLOAD}, also if it is only pending
   * @param isPending whether it is pending; reported with {@link Capability#EXCEPTION_PAYLOAD} only
   * @param vector which exception
   * @param errorCode its error code, if it has one
   * @param payload what goes into CR2 or DR6 when it is delivered
   */
  public record VcpuException(
      boolean isInjected,
      boolean isPending,
      int vector,
      OptionalInt errorCode,
      OptionalLong payload) {
    /** No exception. */
    public static final VcpuException NONE =
        new VcpuException(false, false, 0, OptionalInt.empty(), OptionalLong.empty());
  }

  /**
   * An interrupt.
   *
   * @param isInjected whether the guest is being given it
   * @param vector its vector
   * @param isSoft whether an instruction raised it; never reported
   * @param shadow what holds interrupts back for an instruction, of {@link #SHADOW_MOV_SS} and
   *     {@link #SHADOW_STI}; empty to leave that as it is
   */
  public record Interrupt(boolean isInjected, int vector, boolean isSoft, OptionalInt shadow) {
    /** The instruction before loaded SS. */
    public static final int SHADOW_MOV_SS = Kvm.KVM_X86_SHADOW_INT_MOV_SS();

    /** The instruction before was STI. */
    public static final int SHADOW_STI = Kvm.KVM_X86_SHADOW_INT_STI();

    /** No interrupt, and none held back. */
    public static final Interrupt NONE = new Interrupt(false, 0, false, OptionalInt.of(0));
  }

  /**
   * Non-maskable interrupts.
   *
   * @param isInjected whether the guest is being given one
   * @param pending how many wait; empty to leave that as it is
   * @param isMasked whether they wait until an IRET
   */
  public record Nmi(boolean isInjected, OptionalInt pending, boolean isMasked) {
    /** No NMI. */
    public static final Nmi NONE = new Nmi(false, OptionalInt.of(0), false);
  }

  /**
   * System management mode.
   *
   * @param isInSmm whether the vCPU is in it
   * @param isPending whether an SMI waits
   * @param isInsideNmi whether it entered it while NMIs were masked
   * @param isInitLatched whether an INIT waits
   */
  public record Smi(
      boolean isInSmm, boolean isPending, boolean isInsideNmi, boolean isInitLatched) {}

  /** Nothing on its way, with all that is optional left as it is. */
  public static final VcpuEvents NONE =
      new VcpuEvents(
          VcpuException.NONE,
          Interrupt.NONE,
          Nmi.NONE,
          OptionalInt.empty(),
          Optional.empty(),
          Optional.empty());

  /** The same with another exception. */
  public VcpuEvents with(VcpuException other) {
    return new VcpuEvents(other, interrupt, nmi, sipiVector, smi, tripleFault);
  }

  /** The same with another interrupt. */
  public VcpuEvents with(Interrupt other) {
    return new VcpuEvents(exception, other, nmi, sipiVector, smi, tripleFault);
  }

  /** The same with other NMIs. */
  public VcpuEvents with(Nmi other) {
    return new VcpuEvents(exception, interrupt, other, sipiVector, smi, tripleFault);
  }

  static VcpuEvents of(MemorySegment events) {
    int flags = kvm_vcpu_events.flags(events);
    MemorySegment triple = kvm_vcpu_events.triple_fault(events);
    return new VcpuEvents(
        exception(events),
        interrupt(events, (flags & Kvm.KVM_VCPUEVENT_VALID_SHADOW()) != 0),
        nmi(events, (flags & Kvm.KVM_VCPUEVENT_VALID_NMI_PENDING()) != 0),
        (flags & Kvm.KVM_VCPUEVENT_VALID_SIPI_VECTOR()) != 0
            ? OptionalInt.of(kvm_vcpu_events.sipi_vector(events))
            : OptionalInt.empty(),
        (flags & Kvm.KVM_VCPUEVENT_VALID_SMM()) != 0
            ? Optional.of(smi(kvm_vcpu_events.smi(events)))
            : Optional.empty(),
        (flags & Kvm.KVM_VCPUEVENT_VALID_TRIPLE_FAULT()) != 0
            ? Optional.of(kvm_vcpu_events.triple_fault.pending(triple) != 0)
            : Optional.empty());
  }

  private static VcpuException exception(MemorySegment events) {
    MemorySegment from = kvm_vcpu_events.exception(events);
    return new VcpuException(
        kvm_vcpu_events.exception.injected(from) != 0,
        kvm_vcpu_events.exception.pending(from) != 0,
        Byte.toUnsignedInt(kvm_vcpu_events.exception.nr(from)),
        kvm_vcpu_events.exception.has_error_code(from) != 0
            ? OptionalInt.of(kvm_vcpu_events.exception.error_code(from))
            : OptionalInt.empty(),
        kvm_vcpu_events.exception_has_payload(events) != 0
            ? OptionalLong.of(kvm_vcpu_events.exception_payload(events))
            : OptionalLong.empty());
  }

  private static Interrupt interrupt(MemorySegment events, boolean hasShadow) {
    MemorySegment from = kvm_vcpu_events.interrupt(events);
    return new Interrupt(
        kvm_vcpu_events.interrupt.injected(from) != 0,
        Byte.toUnsignedInt(kvm_vcpu_events.interrupt.nr(from)),
        kvm_vcpu_events.interrupt.soft(from) != 0,
        hasShadow ? OptionalInt.of(kvm_vcpu_events.interrupt.shadow(from)) : OptionalInt.empty());
  }

  private static Nmi nmi(MemorySegment events, boolean hasPending) {
    MemorySegment from = kvm_vcpu_events.nmi(events);
    return new Nmi(
        kvm_vcpu_events.nmi.injected(from) != 0,
        hasPending
            ? OptionalInt.of(Byte.toUnsignedInt(kvm_vcpu_events.nmi.pending(from)))
            : OptionalInt.empty(),
        kvm_vcpu_events.nmi.masked(from) != 0);
  }

  private static Smi smi(MemorySegment from) {
    return new Smi(
        kvm_vcpu_events.smi.smm(from) != 0,
        kvm_vcpu_events.smi.pending(from) != 0,
        kvm_vcpu_events.smi.smm_inside_nmi(from) != 0,
        kvm_vcpu_events.smi.latched_init(from) != 0);
  }

  void store(MemorySegment events) {
    int flags = storeException(events);
    MemorySegment raised = kvm_vcpu_events.interrupt(events);
    kvm_vcpu_events.interrupt.injected(raised, bit(interrupt.isInjected));
    kvm_vcpu_events.interrupt.nr(raised, (byte) interrupt.vector);
    kvm_vcpu_events.interrupt.soft(raised, bit(interrupt.isSoft));
    if (interrupt.shadow.isPresent()) {
      kvm_vcpu_events.interrupt.shadow(raised, (byte) interrupt.shadow.getAsInt());
      flags |= Kvm.KVM_VCPUEVENT_VALID_SHADOW();
    }
    MemorySegment nmis = kvm_vcpu_events.nmi(events);
    kvm_vcpu_events.nmi.injected(nmis, bit(nmi.isInjected));
    kvm_vcpu_events.nmi.masked(nmis, bit(nmi.isMasked));
    if (nmi.pending.isPresent()) {
      kvm_vcpu_events.nmi.pending(nmis, (byte) nmi.pending.getAsInt());
      flags |= Kvm.KVM_VCPUEVENT_VALID_NMI_PENDING();
    }
    if (sipiVector.isPresent()) {
      kvm_vcpu_events.sipi_vector(events, sipiVector.getAsInt());
      flags |= Kvm.KVM_VCPUEVENT_VALID_SIPI_VECTOR();
    }
    if (smi.isPresent()) {
      storeSmi(smi.get(), kvm_vcpu_events.smi(events));
      flags |= Kvm.KVM_VCPUEVENT_VALID_SMM();
    }
    if (tripleFault.isPresent()) {
      MemorySegment triple = kvm_vcpu_events.triple_fault(events);
      kvm_vcpu_events.triple_fault.pending(triple, bit(tripleFault.get()));
      flags |= Kvm.KVM_VCPUEVENT_VALID_TRIPLE_FAULT();
    }
    kvm_vcpu_events.flags(events, flags);
  }

  /** Returns the flag for what is only known with KVM_CAP_EXCEPTION_PAYLOAD. */
  private int storeException(MemorySegment events) {
    MemorySegment raised = kvm_vcpu_events.exception(events);
    kvm_vcpu_events.exception.injected(raised, bit(exception.isInjected));
    kvm_vcpu_events.exception.pending(raised, bit(exception.isPending));
    kvm_vcpu_events.exception.nr(raised, (byte) exception.vector);
    kvm_vcpu_events.exception.has_error_code(raised, bit(exception.errorCode.isPresent()));
    kvm_vcpu_events.exception.error_code(raised, exception.errorCode.orElse(0));
    kvm_vcpu_events.exception_has_payload(events, bit(exception.payload.isPresent()));
    kvm_vcpu_events.exception_payload(events, exception.payload.orElse(0));
    return exception.isPending || exception.payload.isPresent()
        ? Kvm.KVM_VCPUEVENT_VALID_PAYLOAD()
        : 0;
  }

  private static void storeSmi(Smi smi, MemorySegment to) {
    kvm_vcpu_events.smi.smm(to, bit(smi.isInSmm));
    kvm_vcpu_events.smi.pending(to, bit(smi.isPending));
    kvm_vcpu_events.smi.smm_inside_nmi(to, bit(smi.isInsideNmi));
    kvm_vcpu_events.smi.latched_init(to, bit(smi.isInitLatched));
  }

  private static byte bit(boolean on) {
    return (byte) (on ? 1 : 0);
  }
}
