package dev.iolite.vmm;

import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.Kernel;
import dev.iolite.kvm.KvmEvent;
import dev.iolite.kvm.VmInterrupts;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A message of a device on its way to the guest: VFIO signals an eventfd, and KVM, while the
 * message is not masked, sends what the guest has set up. What comes while it is masked stays in
 * the eventfd's count, and KVM finds it there.
 */
final class Vector implements AutoCloseable {
  private final VmInterrupts interrupts;
  private final InterruptRoutes routes;
  private final EventFd event;
  private Optional<KvmEvent> irqfd = Optional.empty();
  private OptionalInt gsi = OptionalInt.empty();

  Vector(Kernel kernel, VmInterrupts interrupts, InterruptRoutes routes) {
    this.interrupts = interrupts;
    this.routes = routes;
    event = EventFd.create(kernel);
  }

  EventFd event() {
    return event;
  }

  /** Lets it through, as this message. */
  void unmask(long address, int data) {
    int line = gsi.orElseGet(routes::allocate);
    gsi = OptionalInt.of(line);
    routes.set(line, address, data);
    if (irqfd.isEmpty()) {
      irqfd = Optional.of(interrupts.irqfd(event, line));
    }
  }

  /** Holds it back. */
  void mask() {
    irqfd.ifPresent(KvmEvent::close);
    irqfd = Optional.empty();
  }

  @Override
  public void close() {
    mask();
    gsi.ifPresent(routes::free);
    event.close();
  }
}
