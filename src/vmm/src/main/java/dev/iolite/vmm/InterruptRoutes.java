package dev.iolite.vmm;

import dev.iolite.kvm.GsiRoute;
import dev.iolite.kvm.VmInterrupts;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Where the VM's GSIs go: those up to 23 to the pins of the interrupt controllers, the others to
 * messages. KVM takes the whole table each time.
 */
final class InterruptRoutes {
  private static final int PIC_PINS = 8;
  private static final int PINS = 24;

  /** KVM_MAX_IRQ_ROUTES of include/linux/kvm_host.h. */
  private static final int MOST = 4096;

  private final VmInterrupts interrupts;
  private final SortedMap<Integer, GsiRoute.Message> messages = new TreeMap<>();

  InterruptRoutes(VmInterrupts interrupts) {
    this.interrupts = interrupts;
  }

  /** A GSI that is free for a message. */
  synchronized int allocate() {
    for (int gsi = PINS; gsi < MOST; gsi++) {
      if (!messages.containsKey(gsi)) {
        messages.put(gsi, new GsiRoute.Message(gsi, 0, 0, OptionalInt.empty()));
        return gsi;
      }
    }
    throw new IllegalStateException("the VM has no GSI left for a message");
  }

  /** Sends a GSI to a message. */
  synchronized void set(int gsi, long address, int data) {
    GsiRoute.Message message = new GsiRoute.Message(gsi, address, data, OptionalInt.empty());
    if (!message.equals(messages.put(gsi, message))) {
      List<GsiRoute> routes = new ArrayList<>();
      for (int pin = 0; pin < PINS; pin++) {
        if (pin < PIC_PINS) {
          routes.add(new GsiRoute.Pin(pin, GsiRoute.Chip.PIC_MASTER, pin));
        } else if (pin < 2 * PIC_PINS) {
          routes.add(new GsiRoute.Pin(pin, GsiRoute.Chip.PIC_SLAVE, pin - PIC_PINS));
        }
        routes.add(new GsiRoute.Pin(pin, GsiRoute.Chip.IOAPIC, pin));
      }
      messages.values().stream().filter(route -> route.address() != 0).forEach(routes::add);
      interrupts.route(routes);
    }
  }

  /** Gives a GSI back. */
  synchronized void free(int gsi) {
    messages.remove(gsi);
  }
}
