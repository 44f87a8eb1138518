package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.kvm.InterruptControllers.Source;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_irq_level;
import dev.iolite.uapi.kvm.kvm_irq_routing;
import dev.iolite.uapi.kvm.kvm_irq_routing_entry;
import dev.iolite.uapi.kvm.kvm_irq_routing_irqchip;
import dev.iolite.uapi.kvm.kvm_irq_routing_msi;
import dev.iolite.uapi.kvm.kvm_msi;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** The ways of interrupts to a VM's interrupt controllers. */
final class InterruptRoutes {
  private static final int PIC_PINS = 8;
  private static final int IOAPIC_PINS = 24;
  private static final int LEGACY_PINS = 16;

  /** A route of an interrupt: to a controller's pin, or a message, by its address and its data. */
  private record Route(int gsi, int type, int chip, int pin, int address, int data) {
    static Route pin(int gsi, int chip, int pin) {
      return new Route(gsi, Kvm.KVM_IRQ_ROUTING_IRQCHIP(), chip, pin, 0, 0);
    }

    static Route message(int gsi, int address, int data) {
      return new Route(gsi, Kvm.KVM_IRQ_ROUTING_MSI(), 0, 0, address, data);
    }

    static Route hyperV(int gsi) {
      return new Route(gsi, Kvm.KVM_IRQ_ROUTING_HV_SINT(), 0, 0, 0, 0);
    }

    boolean isMessage() {
      return type == Kvm.KVM_IRQ_ROUTING_MSI();
    }

    boolean isPin() {
      return type == Kvm.KVM_IRQ_ROUTING_IRQCHIP();
    }

    /** virt/kvm/irqchip.c:setup_routing_entry. */
    boolean excludes(Route other) {
      return gsi == other.gsi && (!isPin() || !other.isPin() || chip == other.chip);
    }
  }

  private final KvmVm vm;
  private List<Route> routes = new ArrayList<>();

  InterruptRoutes(KvmVm vm) {
    this.vm = vm;
  }

  /** arch/x86/kvm/irq.c:kvm_setup_default_ioapic_and_pic_routing. */
  void setDefault() {
    for (int gsi = 0; gsi < IOAPIC_PINS; gsi++) {
      routes.add(Route.pin(gsi, Kvm.KVM_IRQCHIP_IOAPIC(), gsi));
      if (gsi < LEGACY_PINS) {
        int chip = gsi < PIC_PINS ? Kvm.KVM_IRQCHIP_PIC_MASTER() : Kvm.KVM_IRQCHIP_PIC_SLAVE();
        routes.add(Route.pin(gsi, chip, gsi % PIC_PINS));
      }
    }
  }

  /** KVM_SET_GSI_ROUTING; virt/kvm/kvm_main.c:kvm_vm_ioctl, virt/kvm/irqchip.c. */
  void set(long argument) {
    MemorySegment head = vm.task().in(argument, kvm_irq_routing.sizeof());
    refuseIf(!vm.hasIrqchip(), Errno.EINVAL);
    int count = kvm_irq_routing.nr(head);
    refuseIf(
        Integer.compareUnsigned(count, KvmCapabilities.MAX_IRQ_ROUTES) > 0
            || kvm_irq_routing.flags(head) != 0,
        Errno.EINVAL);
    MemorySegment entries =
        vm.task().in(argument + kvm_irq_routing.sizeof(), count * kvm_irq_routing_entry.sizeof());
    List<Route> given = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Route route = route(kvm_irq_routing_entry.asSlice(entries, i));
      refuseIf(given.stream().anyMatch(route::excludes), Errno.EINVAL);
      given.add(route);
    }
    routes = given;
  }

  /** virt/kvm/irqchip.c:kvm_set_irq_routing, arch/x86/kvm/irq.c:kvm_set_routing_entry. */
  private Route route(MemorySegment entry) {
    int gsi = kvm_irq_routing_entry.gsi(entry);
    int type = kvm_irq_routing_entry.type(entry);
    MemorySegment to = kvm_irq_routing_entry.u(entry);
    refuseIf(Integer.compareUnsigned(gsi, KvmCapabilities.MAX_IRQ_ROUTES) >= 0, Errno.EINVAL);
    if (type == Kvm.KVM_IRQ_ROUTING_MSI()) {
      refuseIf(
          (kvm_irq_routing_entry.flags(entry) & ~Kvm.KVM_MSI_VALID_DEVID()) != 0, Errno.EINVAL);
      MemorySegment msi = kvm_irq_routing_entry.u.msi(to);
      requireMessage(kvm_irq_routing_msi.address_hi(msi));
      return Route.message(gsi, kvm_irq_routing_msi.address_lo(msi), kvm_irq_routing_msi.data(msi));
    }
    refuseIf(kvm_irq_routing_entry.flags(entry) != 0, Errno.EINVAL);
    if (type == Kvm.KVM_IRQ_ROUTING_HV_SINT()) {
      return Route.hyperV(gsi);
    }
    refuseIf(type != Kvm.KVM_IRQ_ROUTING_IRQCHIP() || vm.hasSplitIrqchip(), Errno.EINVAL);
    MemorySegment pin = kvm_irq_routing_entry.u.irqchip(to);
    int chip = kvm_irq_routing_irqchip.irqchip(pin);
    int number = kvm_irq_routing_irqchip.pin(pin);
    int pins = chip == Kvm.KVM_IRQCHIP_IOAPIC() ? IOAPIC_PINS : PIC_PINS;
    refuseIf(Integer.compareUnsigned(chip, Kvm.KVM_IRQCHIP_IOAPIC()) > 0, Errno.EINVAL);
    refuseIf(Integer.compareUnsigned(number, pins) >= 0, Errno.EINVAL);
    return Route.pin(gsi, chip, number);
  }

  /** arch/x86/kvm/irq.c:kvm_msi_route_invalid. */
  private void requireMessage(int high) {
    refuseIf(vm.settings().wideApicIds() && (high & 0xff) != 0, Errno.EINVAL);
  }

  /** KVM_IRQ_LINE, KVM_IRQ_LINE_STATUS; arch/x86/kvm/irq.c:kvm_vm_ioctl_irq_line. */
  void line(MemorySegment level) {
    refuseIf(!vm.hasIrqchip(), Errno.ENXIO);
    int gsi = kvm_irq_level.irq(level);
    boolean isHigh = kvm_irq_level.level(level) != 0;
    kvm_irq_level.status(level, set(Source.OWNER, gsi, isHigh));
  }

  /**
   * virt/kvm/irqchip.c:kvm_set_irq.
   *
   * @return to how many vCPUs it was delivered, 0 if it was there, negative if it is masked or has
   *     no route
   */
  int set(Source source, int gsi, boolean isHigh) {
    int status = -1;
    for (Route route : routes) {
      if (route.gsi == gsi) {
        int taken = set(source, route, isHigh);
        status = taken < 0 ? status : taken + Math.max(status, 0);
      }
    }
    return status;
  }

  /** The GSI that a pin is for; virt/kvm/irqchip.c:kvm_irq_map_chip_pin. */
  OptionalInt gsiOf(int chip, int pin) {
    return routes.stream()
        .filter(route -> route.isPin() && route.chip == chip && route.pin == pin)
        .mapToInt(Route::gsi)
        .reduce((_, last) -> last);
  }

  private int set(Source source, Route route, boolean isHigh) {
    if (route.isPin()) {
      return vm.interrupts().set(source, route.chip, route.pin, isHigh);
    }
    // arch/x86/kvm/irq.c:kvm_set_msi
    return route.isMessage() && isHigh
        ? ApicMessage.ofMsi(route.address, route.data).deliver(vm)
        : -1;
  }

  /**
   * KVM_SIGNAL_MSI; virt/kvm/irqchip.c:kvm_send_userspace_msi.
   *
   * @return how many vCPUs took it
   */
  int message(MemorySegment msi) {
    refuseIf(!vm.hasIrqchip(), Errno.EINVAL);
    refuseIf((kvm_msi.flags(msi) & ~Kvm.KVM_MSI_VALID_DEVID()) != 0, Errno.EINVAL);
    requireMessage(kvm_msi.address_hi(msi));
    int taken = ApicMessage.ofMsi(kvm_msi.address_lo(msi), kvm_msi.data(msi)).deliver(vm);
    if (taken < 0) {
      // No vCPU is there: -1, which is this errno's.
      throw refused(Errno.EPERM);
    }
    return taken;
  }
}
