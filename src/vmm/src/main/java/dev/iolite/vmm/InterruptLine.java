package dev.iolite.vmm;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.Kernel;
import dev.iolite.kvm.KvmEvent;
import dev.iolite.kvm.VmInterrupts;
import dev.iolite.vfio.IrqSet;
import java.util.List;
import java.util.Optional;

/**
 * The interrupt line of a device on its way to the guest. It is a level: VFIO masks it when it
 * comes; when the guest has ended the interrupt, KVM signals a second eventfd, by which VFIO
 * unmasks it.
 */
final class InterruptLine implements AutoCloseable {
  private final VmInterrupts interrupts;
  private final int gsi;
  private final EventFd source;
  private final EventFd resample;
  private final CloseStack open;
  private Optional<KvmEvent> irqfd = Optional.empty();

  /** Enables the line at VFIO; it does not reach the guest yet. */
  InterruptLine(Kernel kernel, IrqSet irqs, VmInterrupts interrupts, int gsi) {
    this.interrupts = interrupts;
    this.gsi = gsi;
    try (CloseStack opening = new CloseStack()) {
      source = opening.push(EventFd.create(kernel));
      resample = opening.push(EventFd.create(kernel));
      opening.push(irqs).enable(List.of(source));
      irqs.connectUnmask(0, resample);
      opening.onClose(() -> irqs.disconnectUnmask(0));
      open = opening.release();
    }
  }

  /**
   * Follows the command register. While that has the line off, VFIO masks it, and for the guest it
   * is low; when it is on again, VFIO signals what the device still demands
   * (drivers/vfio/pci/vfio_pci_intrs.c:vfio_pci_intx_unmask_handler).
   */
  void follow(boolean isOn) {
    if (!isOn) {
      irqfd.ifPresent(KvmEvent::close);
      irqfd = Optional.empty();
    } else if (irqfd.isEmpty()) {
      irqfd = Optional.of(interrupts.irqfd(source, gsi, resample));
    }
  }

  @Override
  public void close() {
    follow(false);
    open.close();
  }
}
