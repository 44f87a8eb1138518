package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.kvm_lapic_state;
import dev.iolite.uapi.kvm.kvm_sregs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The registers of a vCPU's local APIC, which the VM's owner reads and sets. */
final class LocalApic {
  private static final int ID = 0x20;
  private static final int VERSION = 0x30;
  private static final int LOGICAL = 0xd0;
  private static final int LOGICAL_FORMAT = 0xe0;
  private static final int SPURIOUS = 0xf0;
  private static final int FIRST_LVT = 0x320;
  private static final int LINT0 = 0x350;
  private static final int CURRENT_COUNT = 0x390;
  private static final int REGISTER_BYTES = 0x10;

  /** Timer, thermal sensor, performance counters, LINT0, LINT1 and errors. */
  private static final int LVTS = 6;

  private static final int VERSION_VALUE = 0x14 | (LVTS - 1) << 16;
  private static final int SUPPRESSES_EOI = 1 << 24;
  private static final int MASKED = 1 << 16;
  private static final int EXTERNAL = 7 << 8;
  private static final int ID_SHIFT = 24;
  private static final int BROADCAST = 0xff;
  private static final int ENABLED = 1 << 8;
  private static final int FIRST_REQUEST = 0x200;
  private static final long X2APIC_MODE = 1 << 10;

  private final KvmVcpu vcpu;
  private final MemorySegment registers = kvm_lapic_state.allocate(Arena.ofAuto());

  /** arch/x86/kvm/lapic.c:kvm_lapic_reset. */
  LocalApic(KvmVcpu vcpu, boolean boot) {
    this.vcpu = vcpu;
    register(ID, vcpu.id() << ID_SHIFT);
    register(VERSION, version());
    for (int i = 0; i < LVTS; i++) {
      register(FIRST_LVT + i * REGISTER_BYTES, MASKED);
    }
    if (boot) {
      // KVM_X86_QUIRK_LINT0_REENABLED
      register(LINT0, EXTERNAL);
    }
    register(LOGICAL_FORMAT, -1);
    register(SPURIOUS, 0xff);
  }

  /**
   * arch/x86/kvm/lapic.c:kvm_apic_set_version: with the I/O APIC in user space, an EOI can be kept
   * from it.
   */
  private int version() {
    boolean suppresses = vcpu.vm().hasSplitIrqchip() && vcpu.cpuid().has(CpuFeature.X2APIC);
    return VERSION_VALUE | (suppresses ? SUPPRESSES_EOI : 0);
  }

  private void register(int offset, int value) {
    registers.set(ValueLayout.JAVA_INT, offset, value);
  }

  private boolean isX2apic() {
    return (kvm_sregs.apic_base(vcpu.cpu().special()) & X2APIC_MODE) != 0;
  }

  /** arch/x86/kvm/x86.c:kvm_vcpu_ioctl_get_lapic, lapic.c:kvm_apic_get_state. */
  MemorySegment get() {
    requireKernels();
    if (isX2apic()) {
      boolean wide = vcpu.vm().settings().wideApicIds();
      register(ID, wide ? vcpu.id() : vcpu.id() << ID_SHIFT);
    }
    register(CURRENT_COUNT, 0);
    return registers;
  }

  /** arch/x86/kvm/x86.c:kvm_vcpu_ioctl_set_lapic, lapic.c:kvm_apic_set_state. */
  void set(MemorySegment given) {
    if (isX2apic()) {
      int id = given.get(ValueLayout.JAVA_INT, ID);
      refuseIf(vcpu.vm().settings().wideApicIds() && id != vcpu.id(), Errno.EINVAL);
    }
    registers.copyFrom(given);
    if (isX2apic()) {
      // arch/x86/kvm/lapic.c:kvm_apic_calc_x2apic_ldr
      register(ID, vcpu.id());
      register(LOGICAL, vcpu.id() >> 4 << 16 | 1 << (vcpu.id() & 0xf));
    }
    register(VERSION, version());
    register(CURRENT_COUNT, 0);
  }

  /** EINVAL if the VM's owner has the APICs, or the processor hides them. */
  void requireKernels() {
    refuseIf(!vcpu.vm().hasIrqchip() || vcpu.vm().hasProtectedEoi(), Errno.EINVAL);
  }

  /** arch/x86/kvm/lapic.c:kvm_apic_match_dest, for an 8-bit destination. */
  boolean isAt(int destination, boolean isLogical) {
    if (isLogical) {
      return (registers.get(ValueLayout.JAVA_INT, LOGICAL) >>> ID_SHIFT & destination) != 0;
    }
    return destination == BROADCAST || destination == vcpu.id();
  }

  /**
   * Marks an interrupt as requested; arch/x86/kvm/lapic.c:__apic_accept_irq.
   *
   * @return whether the APIC, which is off after reset, took it
   */
  boolean request(int vector) {
    if ((registers.get(ValueLayout.JAVA_INT, SPURIOUS) & ENABLED) == 0) {
      return false;
    }
    int at = FIRST_REQUEST + vector / Integer.SIZE * REGISTER_BYTES;
    register(at, registers.get(ValueLayout.JAVA_INT, at) | 1 << vector % Integer.SIZE);
    return true;
  }
}
