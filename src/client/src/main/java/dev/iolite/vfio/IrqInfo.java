package dev.iolite.vfio;

import dev.iolite.uapi.vfio.Vfio;

/**
 * What VFIO_DEVICE_GET_IRQ_INFO says about a kind of interrupt.
 *
 * @param index the index of the kind
 * @param flags VFIO_IRQ_INFO_* bits
 * @param count how many the device has; 0 if it does not have the kind
 */
public record IrqInfo(int index, int flags, int count) {
  /** Its name if it is one of PCI's, such as {@code MSI-X}. */
  public String name() {
    return PciIrq.nameOf(index);
  }

  /** Whether an eventfd can be signalled. */
  public boolean canSignalEventFd() {
    return (flags & Vfio.VFIO_IRQ_INFO_EVENTFD()) != 0;
  }

  /** Whether it can be masked and unmasked. */
  public boolean canMask() {
    return (flags & Vfio.VFIO_IRQ_INFO_MASKABLE()) != 0;
  }

  /** Whether it is masked each time it is signalled, until it is unmasked. */
  public boolean isAutoMasked() {
    return (flags & Vfio.VFIO_IRQ_INFO_AUTOMASKED()) != 0;
  }

  /**
   * Whether the set of enabled interrupts can be changed only by first disabling all of the kind.
   */
  public boolean isFixedSize() {
    return (flags & Vfio.VFIO_IRQ_INFO_NORESIZE()) != 0;
  }
}
