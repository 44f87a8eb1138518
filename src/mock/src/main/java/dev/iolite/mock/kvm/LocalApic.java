package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.uapi.kvm.kvm_lapic_state;
import dev.iolite.uapi.kvm.kvm_sregs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The registers of a vCPU's local APIC, which the VM's owner reads and sets. It has no timer, and
 * its guest's writes to the registers of what the model does not have, such as IPIs, do nothing.
 */
final class LocalApic {
  private static final int ID = 0x20;
  private static final int VERSION = 0x30;
  private static final int END_OF_INTERRUPT = 0xb0;
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
  private static final int TASK_PRIORITY = 0x80;
  private static final int FIRST_IN_SERVICE = 0x100;
  private static final int FIRST_LEVEL = 0x180;
  private static final int FIRST_REQUEST = 0x200;

  /** Each of the two sets has a bit for each vector. */
  private static final int VECTOR_REGISTERS = 8;

  /** The class of a priority, or of a vector. */
  private static final int CLASS = 0xf0;

  private static final int FIXED = 0;
  private static final int LOWEST_PRIORITY = 1;
  private static final int REMOTE_READ = 3;
  private static final int NMI = 4;
  private static final int INIT = 5;
  private static final int STARTUP = 6;
  private static final long X2APIC_MODE = 1 << 10;
  private static final long HARDWARE_ENABLED = 1 << 11;
  private static final int SPURIOUS_WRITABLE = 0x3ff;
  private static final int LOGICAL_WRITABLE = 0xff00_0000;
  private static final int LOGICAL_FORMAT_ONES = 0x0fff_ffff;

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
      return (read(LOGICAL) >>> ID_SHIFT & destination) != 0;
    }
    return destination == BROADCAST || destination == vcpu.id();
  }

  /**
   * Takes an interrupt; arch/x86/kvm/lapic.c:__apic_accept_irq. The model's processors are not
   * started anew, by INIT and SIPI, although they take both.
   *
   * @return whether the APIC, which is off after reset, took it
   */
  boolean accept(ApicMessage message) {
    int vector = message.vector();
    return switch (message.mode()) {
      case FIXED, LOWEST_PRIORITY -> {
        if (isEnabled()) {
          set(FIRST_LEVEL, vector, message.isLevel());
          set(FIRST_REQUEST, vector, true);
        }
        yield isEnabled();
      }
      case NMI -> {
        vcpu.events().nmi();
        yield true;
      }
      case REMOTE_READ, INIT, STARTUP -> true;
      default -> false;
    };
  }

  private boolean isEnabled() {
    return (read(SPURIOUS) & ENABLED) != 0;
  }

  private int read(int offset) {
    return registers.get(ValueLayout.JAVA_INT, offset);
  }

  private void set(int first, int vector, boolean on) {
    int at = first + vector / Integer.SIZE * REGISTER_BYTES;
    int bit = 1 << vector % Integer.SIZE;
    register(at, on ? read(at) | bit : read(at) & ~bit);
  }

  private boolean has(int first, int vector) {
    return (read(first + vector / Integer.SIZE * REGISTER_BYTES) >>> vector % Integer.SIZE & 1)
        != 0;
  }

  private int highest(int first) {
    for (int i = VECTOR_REGISTERS - 1; i >= 0; i--) {
      int bits = read(first + i * REGISTER_BYTES);
      if (bits != 0) {
        return i * Integer.SIZE + Integer.SIZE - 1 - Integer.numberOfLeadingZeros(bits);
      }
    }
    return -1;
  }

  /**
   * The interrupt that is next; arch/x86/kvm/lapic.c:kvm_apic_has_interrupt.
   *
   * @return its vector; negative if there is none whose priority is high enough
   */
  int next() {
    int vector = vcpu.vm().hasIrqchip() && isEnabled() ? highest(FIRST_REQUEST) : -1;
    int priority =
        Math.max(read(TASK_PRIORITY) & CLASS, Math.max(highest(FIRST_IN_SERVICE), 0) & CLASS);
    return vector >= 0 && (vector & CLASS) > priority ? vector : -1;
  }

  /** The guest is at the interrupt now; arch/x86/kvm/lapic.c:kvm_apic_ack_interrupt. */
  void serve(int vector) {
    set(FIRST_REQUEST, vector, false);
    set(FIRST_IN_SERVICE, vector, true);
  }

  /** arch/x86/kvm/lapic.c:apic_set_eoi, kvm_ioapic_send_eoi: what has ended is the highest. */
  private void endInterrupt() {
    int vector = highest(FIRST_IN_SERVICE);
    if (vector < 0) {
      return;
    }
    set(FIRST_IN_SERVICE, vector, false);
    if (!vcpu.vm().hasSplitIrqchip()) {
      vcpu.vm().interrupts().endInterrupt(vector, has(FIRST_LEVEL, vector));
    }
  }

  /** Whether it has this address; arch/x86/kvm/lapic.c:apic_mmio_in_range. */
  boolean answersAt(long gpa) {
    long base = kvm_sregs.apic_base(vcpu.cpu().special()) & -Page.BYTES;
    return vcpu.vm().hasIrqchip() && gpa >= base && gpa < base + Page.BYTES;
  }

  /** Not if it is off, or has its registers in MSRs (KVM_X86_QUIRK_LAPIC_MMIO_HOLE). */
  private boolean hasMmio() {
    return (kvm_sregs.apic_base(vcpu.cpu().special()) & (HARDWARE_ENABLED | X2APIC_MODE))
        == HARDWARE_ENABLED;
  }

  /** arch/x86/kvm/lapic.c:apic_mmio_read, kvm_lapic_reg_read. */
  long readMmio(long gpa, int bytes) {
    if (!hasMmio()) {
      return -1;
    }
    int offset = (int) (gpa & (Page.BYTES - 1));
    int within = offset % REGISTER_BYTES;
    return within + bytes > Integer.BYTES || offset >= registers.byteSize()
        ? 0
        : read(offset - within) >>> (within * Byte.SIZE);
  }

  /**
   * arch/x86/kvm/lapic.c:apic_mmio_write, kvm_lapic_reg_write.
   *
   * @return whether it has this address
   */
  boolean writeMmio(long gpa, int bytes, long value) {
    if (!answersAt(gpa)) {
      return false;
    }
    int written = (int) value;
    if (hasMmio() && bytes == Integer.BYTES) {
      switch ((int) (gpa & (Page.BYTES - 1))) {
        case TASK_PRIORITY -> register(TASK_PRIORITY, written & 0xff);
        case END_OF_INTERRUPT -> endInterrupt();
        case LOGICAL -> register(LOGICAL, written & LOGICAL_WRITABLE);
        case LOGICAL_FORMAT -> register(LOGICAL_FORMAT, written | LOGICAL_FORMAT_ONES);
        case SPURIOUS -> register(SPURIOUS, written & SPURIOUS_WRITABLE);
        default -> {
          // It is read only, or the model does not have what it is for.
        }
      }
    }
    return true;
  }

  /** arch/x86/kvm/lapic.c:kvm_apic_accept_pic_intr. */
  boolean acceptsExternal() {
    int lint0 = read(LINT0);
    return (lint0 & MASKED) == 0 && (lint0 & EXTERNAL) == EXTERNAL;
  }
}
