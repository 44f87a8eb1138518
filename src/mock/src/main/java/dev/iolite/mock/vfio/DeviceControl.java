package dev.iolite.mock.vfio;

import dev.iolite.mock.pci.PciControl;
import java.lang.foreign.MemorySegment;

/**
 * Drives a device from outside the kernel, for tests. Safe for use by many threads.
 *
 * @param pci what can be done to any function
 * @param vfio the driver that may have the device
 */
public record DeviceControl(PciControl pci, VfioDriver vfio) {
  /** Same as {@link PciControl#pullOut}. */
  public void pullOut() {
    pci.pullOut();
  }

  /** Same as {@link PciControl#plugIn}. */
  public void plugIn() {
    pci.plugIn();
  }

  /** Sends an interrupt message of the device. */
  public void send(int vector) {
    pci.send(vector);
  }

  /** Asserts or deasserts the device's interrupt line. */
  public void setLine(boolean asserted) {
    pci.setLine(asserted);
  }

  /** Reads the memory behind a BAR, as {@link PciControl#peek}. */
  public void peek(int bar, long offset, MemorySegment into) {
    pci.peek(bar, offset, into);
  }

  /** Writes the memory behind a BAR, as {@link PciControl#poke}. */
  public void poke(int bar, long offset, MemorySegment from) {
    pci.poke(bar, offset, from);
  }

  /**
   * Revokes the device's dma-bufs now, as a reset does. They come back the next time that the
   * kernel restores dma-bufs.
   *
   * @return whether vfio-pci has the device
   */
  public boolean revoke() {
    return vfio.revoke(pci);
  }

  /**
   * Wakes the device, as its own PME does, if it is in low power. Until then, Linux masks its INTx;
   * the model does not.
   *
   * @return whether vfio-pci has the device
   */
  public boolean wake() {
    return vfio.wake(pci);
  }
}
