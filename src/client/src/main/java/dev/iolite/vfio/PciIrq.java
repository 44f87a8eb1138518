package dev.iolite.vfio;

import dev.iolite.uapi.vfio.Vfio;

/** The kinds of interrupts of a PCI device; those it lacks have count 0. */
public enum PciIrq {
  /** The interrupt line. */
  INTX(Vfio.VFIO_PCI_INTX_IRQ_INDEX(), "INTx"),
  /** Message-signalled interrupts. */
  MSI(Vfio.VFIO_PCI_MSI_IRQ_INDEX(), "MSI"),
  /** Message-signalled interrupts with a table. */
  MSIX(Vfio.VFIO_PCI_MSIX_IRQ_INDEX(), "MSI-X"),
  /** The kernel's notice that the device reported an error. */
  ERR(Vfio.VFIO_PCI_ERR_IRQ_INDEX(), "ERR"),
  /** The kernel's request to give the device back. */
  REQ(Vfio.VFIO_PCI_REQ_IRQ_INDEX(), "REQ");

  private final int index;
  private final String words;

  PciIrq(int index, String words) {
    this.index = index;
    this.words = words;
  }

  /** The index of the kind. */
  public int index() {
    return index;
  }

  /** For example {@code MSI-X}. */
  @Override
  public String toString() {
    return words;
  }

  /** The name of a kind by its index; those beyond the known ones are {@code IRQ 5} and so on. */
  public static String nameOf(int index) {
    for (PciIrq irq : values()) {
      if (irq.index == index) {
        return irq.words;
      }
    }
    return "IRQ " + Integer.toUnsignedString(index);
  }
}
