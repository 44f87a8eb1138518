package dev.iolite.kvm;

import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_irq_routing_entry;
import dev.iolite.uapi.kvm.kvm_irq_routing_hv_sint;
import dev.iolite.uapi.kvm.kvm_irq_routing_irqchip;
import dev.iolite.uapi.kvm.kvm_irq_routing_msi;
import dev.iolite.uapi.kvm.kvm_irq_routing_xen_evtchn;
import java.lang.foreign.MemorySegment;
import java.util.OptionalInt;

/**
 * Where a global system interrupt goes. A GSI may have a pin of each controller, or one message.
 *
 * <p>Safe for use by several threads.
 */
public sealed interface GsiRoute {

  /** The GSI. */
  int gsi();

  /** An interrupt controller in the kernel. */
  enum Chip {
    /** The PIC with the interrupts 0 to 7. */
    PIC_MASTER(Kvm.KVM_IRQCHIP_PIC_MASTER()),
    /** The PIC with the interrupts 8 to 15. */
    PIC_SLAVE(Kvm.KVM_IRQCHIP_PIC_SLAVE()),
    /** The I/O APIC. */
    IOAPIC(Kvm.KVM_IRQCHIP_IOAPIC());

    private final int number;

    Chip(int number) {
      this.number = number;
    }

    int number() {
      return number;
    }
  }

  /**
   * A pin of an interrupt controller.
   *
   * @param gsi the GSI
   * @param chip the controller, which a VM with a split one does not have in the kernel
   * @param pin its pin, 0 to 7, or 23 for the I/O APIC
   */
  record Pin(int gsi, Chip chip, int pin) implements GsiRoute {}

  /**
   * A message-signalled interrupt.
   *
   * @param gsi the GSI
   * @param address where the message is written
   * @param data what is written
   * @param deviceId whose message it is, for interrupt controllers that ask (not on x86)
   */
  record Message(int gsi, long address, int data, OptionalInt deviceId) implements GsiRoute {}

  /**
   * A synthetic interrupt of Hyper-V.
   *
   * @param gsi the GSI
   * @param vcpu the virtual processor
   * @param sint which interrupt of it
   */
  record HypervSint(int gsi, int vcpu, int sint) implements GsiRoute {}

  /**
   * An event channel of Xen.
   *
   * @param gsi the GSI
   * @param port the channel
   * @param vcpu the vCPU's id
   */
  record XenEventChannel(int gsi, int port, int vcpu) implements GsiRoute {}

  /** Fills a struct kvm_irq_routing_entry. */
  default void store(MemorySegment entry) {
    MemorySegment u = kvm_irq_routing_entry.u(entry);
    kvm_irq_routing_entry.gsi(entry, gsi());
    switch (this) {
      case Pin pin -> {
        kvm_irq_routing_entry.type(entry, Kvm.KVM_IRQ_ROUTING_IRQCHIP());
        MemorySegment irqchip = kvm_irq_routing_entry.u.irqchip(u);
        kvm_irq_routing_irqchip.irqchip(irqchip, pin.chip.number());
        kvm_irq_routing_irqchip.pin(irqchip, pin.pin);
      }
      case Message message -> {
        kvm_irq_routing_entry.type(entry, Kvm.KVM_IRQ_ROUTING_MSI());
        MemorySegment msi = kvm_irq_routing_entry.u.msi(u);
        kvm_irq_routing_msi.address_lo(msi, (int) message.address);
        kvm_irq_routing_msi.address_hi(msi, (int) (message.address >>> Integer.SIZE));
        kvm_irq_routing_msi.data(msi, message.data);
        message.deviceId.ifPresent(id -> {
          kvm_irq_routing_entry.flags(entry, Kvm.KVM_MSI_VALID_DEVID());
          kvm_irq_routing_msi.devid(msi, id);
        });
      }
      case HypervSint hyperv -> {
        kvm_irq_routing_entry.type(entry, Kvm.KVM_IRQ_ROUTING_HV_SINT());
        MemorySegment sint = kvm_irq_routing_entry.u.hv_sint(u);
        kvm_irq_routing_hv_sint.vcpu(sint, hyperv.vcpu);
        kvm_irq_routing_hv_sint.sint(sint, hyperv.sint);
      }
      case XenEventChannel xen -> {
        kvm_irq_routing_entry.type(entry, Kvm.KVM_IRQ_ROUTING_XEN_EVTCHN());
        MemorySegment channel = kvm_irq_routing_entry.u.xen_evtchn(u);
        kvm_irq_routing_xen_evtchn.port(channel, xen.port);
        kvm_irq_routing_xen_evtchn.vcpu(channel, xen.vcpu);
        kvm_irq_routing_xen_evtchn.priority(channel, Kvm.KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL());
      }
    }
  }
}
