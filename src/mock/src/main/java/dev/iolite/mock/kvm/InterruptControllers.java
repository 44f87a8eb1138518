package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_ioapic_state;
import dev.iolite.uapi.kvm.kvm_irqchip;
import dev.iolite.uapi.kvm.kvm_pic_state;
import dev.iolite.uapi.kvm.kvm_pit_channel_state;
import dev.iolite.uapi.kvm.kvm_pit_config;
import dev.iolite.uapi.kvm.kvm_pit_state;
import dev.iolite.uapi.kvm.kvm_pit_state2;
import dev.iolite.uapi.kvm.kvm_reinject_control;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * The registers of a VM's two 8259s, its I/O APIC and its 8254, which its owner reads and sets. The
 * model's guests take no interrupts from the 8259s and the 8254.
 */
final class InterruptControllers {
  private static final int CHANNELS = 3;
  private static final int PIC_PINS = 8;
  private static final int IOAPIC_PINS = 24;
  private static final long VECTOR = 0xff;
  private static final long IOAPIC_BASE = 0xfec0_0000L;
  private static final long IOAPIC_REMOTE_IRR = 1L << 14;
  private static final long IOAPIC_LEVEL = 1L << 15;
  private static final long IOAPIC_MASKED = 1L << 16;
  private static final byte MASTER_LEVELS = (byte) 0xf8;
  private static final byte SLAVE_LEVELS = (byte) 0xde;
  private static final int LONGEST_COUNT = 0x1_0000;

  private final KvmVm vm;

  /** By their numbers, KVM_IRQCHIP_. */
  private final MemorySegment[] chips = {
    kvm_pic_state.allocate(Arena.ofAuto()),
    kvm_pic_state.allocate(Arena.ofAuto()),
    kvm_ioapic_state.allocate(Arena.ofAuto())
  };

  /** Each pin's sources that demand it, as bits (irq_states). */
  private final int[][] sources = {
    new int[PIC_PINS], new int[PIC_PINS], new int[IOAPIC_PINS],
  };

  private Optional<MemorySegment> timer = Optional.empty();

  /** The I/O APIC's edges that reached a local APIC (irr_delivered). */
  private int delivered;

  /** arch/x86/kvm/i8259.c:kvm_pic_init, arch/x86/kvm/ioapic.c:kvm_ioapic_reset. */
  InterruptControllers(KvmVm vm) {
    this.vm = vm;
    kvm_pic_state.elcr_mask(chips[Kvm.KVM_IRQCHIP_PIC_MASTER()], MASTER_LEVELS);
    kvm_pic_state.elcr_mask(chips[Kvm.KVM_IRQCHIP_PIC_SLAVE()], SLAVE_LEVELS);
    kvm_ioapic_state.base_address(ioapic(), IOAPIC_BASE);
    for (int pin = 0; pin < IOAPIC_PINS; pin++) {
      kvm_ioapic_state.redirtbl.bits(kvm_ioapic_state.redirtbl(ioapic(), pin), IOAPIC_MASKED);
    }
  }

  private MemorySegment chip(MemorySegment argument) {
    refuseIf(!vm.hasIrqchip() || vm.hasSplitIrqchip(), Errno.ENXIO);
    int id = kvm_irqchip.chip_id(argument);
    refuseIf(Integer.compareUnsigned(id, chips.length) >= 0, Errno.EINVAL);
    return chips[id];
  }

  /** KVM_GET_IRQCHIP; arch/x86/kvm/irq.c:kvm_vm_ioctl_get_irqchip, ioapic.c:kvm_get_ioapic. */
  void get(MemorySegment argument) {
    MemorySegment chip = chip(argument);
    MemorySegment given = kvm_irqchip.chip(argument).asSlice(0, chip.byteSize());
    given.copyFrom(chip);
    if (kvm_irqchip.chip_id(argument) == Kvm.KVM_IRQCHIP_IOAPIC()) {
      kvm_ioapic_state.irr(given, kvm_ioapic_state.irr(chip) & ~delivered);
    }
  }

  /** KVM_SET_IRQCHIP; arch/x86/kvm/irq.c:kvm_vm_ioctl_set_irqchip, ioapic.c:kvm_set_ioapic. */
  void set(MemorySegment argument) {
    MemorySegment chip = chip(argument);
    chip.copyFrom(kvm_irqchip.chip(argument).asSlice(0, chip.byteSize()));
    if (kvm_irqchip.chip_id(argument) == Kvm.KVM_IRQCHIP_IOAPIC()) {
      int requests = kvm_ioapic_state.irr(chip);
      kvm_ioapic_state.irr(chip, 0);
      delivered = 0;
      for (int pin = 0; pin < IOAPIC_PINS; pin++) {
        if ((requests >>> pin & 1) != 0) {
          setIoapic(pin, true);
        }
      }
    }
  }

  private MemorySegment ioapic() {
    return chips[Kvm.KVM_IRQCHIP_IOAPIC()];
  }

  /** What demands a pin: each is a source of its own, as they share it. */
  enum Source {
    /** KVM_IRQ_LINE, and eventfds that raise an edge (KVM_USERSPACE_IRQ_SOURCE_ID). */
    OWNER(1),
    /** Eventfds that raise a level (KVM_IRQFD_RESAMPLE_IRQ_SOURCE_ID). */
    RESAMPLED(1 << 1);

    private final int bit;

    Source(int bit) {
      this.bit = bit;
    }
  }

  /**
   * Lets a source raise or lower a pin, which is low if no source raises it;
   * arch/x86/kvm/ioapic.h:__kvm_irq_line_state.
   *
   * @return to how many it was delivered, 0 if it was there, negative if it is masked
   */
  int set(Source source, int chip, int pin, boolean demands) {
    int others = sources[chip][pin] & ~source.bit;
    sources[chip][pin] = demands ? others | source.bit : others;
    boolean isHigh = sources[chip][pin] != 0;
    return chip == Kvm.KVM_IRQCHIP_IOAPIC()
        ? setIoapic(pin, isHigh)
        : setPic(chips[chip], 1 << pin, isHigh);
  }

  /** arch/x86/kvm/i8259.c:pic_set_irq1. */
  private static int setPic(MemorySegment pic, int bit, boolean isHigh) {
    int requests = kvm_pic_state.irr(pic);
    int last = kvm_pic_state.last_irr(pic);
    boolean isLevel = (kvm_pic_state.elcr(pic) & bit) != 0;
    boolean raises = isHigh && (isLevel || (last & bit) == 0);
    int taken = raises && (requests & bit) != 0 ? 0 : 1;
    if (raises) {
      requests |= bit;
    } else if (!isHigh && isLevel) {
      requests &= ~bit;
    }
    kvm_pic_state.irr(pic, (byte) requests);
    kvm_pic_state.last_irr(pic, (byte) (isHigh ? last | bit : last & ~bit));
    return (kvm_pic_state.imr(pic) & bit) != 0 ? -1 : taken;
  }

  /** arch/x86/kvm/ioapic.c:ioapic_set_irq: what is masked stays requested. */
  private int setIoapic(int pin, boolean isHigh) {
    int bit = 1 << pin;
    int before = kvm_ioapic_state.irr(ioapic());
    kvm_ioapic_state.irr(ioapic(), isHigh ? before | bit : before & ~bit);
    if (!isHigh) {
      return 1;
    }
    long entry = kvm_ioapic_state.redirtbl.bits(kvm_ioapic_state.redirtbl(ioapic(), pin));
    if ((entry & IOAPIC_LEVEL) == 0) {
      delivered &= ~bit;
      if ((before & bit) != 0) {
        return 0;
      }
    }
    return serve(pin);
  }

  /** arch/x86/kvm/ioapic.c:ioapic_service. */
  private int serve(int pin) {
    MemorySegment redirection = kvm_ioapic_state.redirtbl(ioapic(), pin);
    long entry = kvm_ioapic_state.redirtbl.bits(redirection);
    boolean isLevel = (entry & IOAPIC_LEVEL) != 0;
    if ((entry & IOAPIC_MASKED) != 0 || (isLevel && (entry & IOAPIC_REMOTE_IRR) != 0)) {
      return -1;
    }
    int taken = ApicMessage.ofRedirection(entry).deliver(vm);
    if (!isLevel) {
      delivered |= 1 << pin;
    } else if (taken != 0) {
      kvm_ioapic_state.redirtbl.bits(redirection, entry | IOAPIC_REMOTE_IRR);
    }
    return taken;
  }

  /**
   * A vCPU has ended an interrupt: those that wait for it are told, and may raise it again before a
   * pin that is still demanded is served. arch/x86/kvm/ioapic.c:kvm_ioapic_update_eoi_one; the
   * kernel slows a storm of interrupts down.
   */
  void endInterrupt(int vector, boolean isLevel) {
    for (int pin = 0; pin < IOAPIC_PINS; pin++) {
      MemorySegment redirection = kvm_ioapic_state.redirtbl(ioapic(), pin);
      if ((kvm_ioapic_state.redirtbl.bits(redirection) & VECTOR) != vector) {
        continue;
      }
      vm.routes().gsiOf(Kvm.KVM_IRQCHIP_IOAPIC(), pin).ifPresent(vm.irqfds()::ended);
      if (isLevel) {
        long entry = kvm_ioapic_state.redirtbl.bits(redirection) & ~IOAPIC_REMOTE_IRR;
        kvm_ioapic_state.redirtbl.bits(redirection, entry);
        if ((kvm_ioapic_state.irr(ioapic()) >>> pin & 1) != 0) {
          serve(pin);
        }
      }
    }
  }

  /** KVM_CREATE_PIT and KVM_CREATE_PIT2; arch/x86/kvm/x86.c:kvm_arch_vm_ioctl, kvm_pit_reset. */
  void createTimer() {
    refuseIf(timer.isPresent(), Errno.EEXIST);
    refuseIf(!vm.hasIrqchip() || vm.hasSplitIrqchip(), Errno.ENOENT);
    MemorySegment state = kvm_pit_state2.allocate(Arena.ofAuto());
    for (int i = 0; i < CHANNELS; i++) {
      MemorySegment channel = kvm_pit_state2.channels(state, i);
      kvm_pit_channel_state.mode(channel, (byte) 0xff);
      kvm_pit_channel_state.gate(channel, (byte) (i == CHANNELS - 1 ? 0 : 1));
      load(channel, i, 0);
    }
    timer = Optional.of(state);
  }

  /** arch/x86/kvm/i8254.c:pit_load_count. */
  private static void load(MemorySegment channel, int index, int count) {
    kvm_pit_channel_state.count(channel, count == 0 ? LONGEST_COUNT : count);
    if (index != 0) {
      kvm_pit_channel_state.count_load_time(channel, System.nanoTime());
    }
  }

  void createTimer2(long argument) {
    vm.task().in(argument, kvm_pit_config.sizeof());
    createTimer();
  }

  private MemorySegment timer() {
    refuseIf(timer.isEmpty(), Errno.ENXIO);
    return timer.orElseThrow();
  }

  /** KVM_GET_PIT2; arch/x86/kvm/irq.c:kvm_vm_ioctl_get_pit2. */
  void getTimer2(long argument) {
    vm.task().out(argument, timer());
  }

  /** KVM_SET_PIT2; arch/x86/kvm/irq.c:kvm_vm_ioctl_set_pit2. */
  void setTimer2(long argument) {
    MemorySegment given = vm.task().in(argument, kvm_pit_state2.sizeof());
    MemorySegment state = timer();
    setChannels(state, given);
    kvm_pit_state2.flags(state, kvm_pit_state2.flags(given));
  }

  /** KVM_GET_PIT; arch/x86/kvm/irq.c:kvm_vm_ioctl_get_pit. */
  void getTimer(long argument) {
    vm.task().in(argument, kvm_pit_state.sizeof());
    vm.task().out(argument, timer().asSlice(0, kvm_pit_state.sizeof()));
  }

  /** KVM_SET_PIT; arch/x86/kvm/irq.c:kvm_vm_ioctl_set_pit. */
  void setTimer(long argument) {
    MemorySegment given = vm.task().in(argument, kvm_pit_state.sizeof());
    setChannels(timer(), given);
  }

  private static void setChannels(MemorySegment state, MemorySegment given) {
    MemorySegment.copy(given, 0, state, 0, kvm_pit_state.sizeof());
    for (int i = 0; i < CHANNELS; i++) {
      MemorySegment channel = kvm_pit_state2.channels(state, i);
      load(channel, i, kvm_pit_channel_state.count(channel));
    }
  }

  /** KVM_REINJECT_CONTROL; arch/x86/kvm/irq.c:kvm_vm_ioctl_reinject. */
  void reinject(long argument) {
    vm.task().in(argument, kvm_reinject_control.sizeof());
    timer();
  }
}
