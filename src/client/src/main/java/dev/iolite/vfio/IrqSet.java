package dev.iolite.vfio;

import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_irq_set;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * The interrupts of one kind of a bound device, by VFIO_DEVICE_SET_IRQS. Closing it disables them.
 *
 * <p>A device has only one of INTx, MSI and MSI-X enabled at a time. See
 * drivers/vfio/pci/vfio_pci_intrs.c:vfio_pci_set_irqs_ioctl. Not safe for use by several threads.
 */
public final class IrqSet implements AutoCloseable {
  private static final int NO_EVENTFD = -1;

  private final Fd device;
  private final IrqInfo info;
  private boolean enabled;

  IrqSet(Fd device, IrqInfo info) {
    this.device = device;
    this.info = info;
  }

  /** What the kernel says about them. */
  public IrqInfo info() {
    return info;
  }

  /**
   * Enables the first interrupts: each one adds 1 to its eventfd. The eventfds stay the caller's;
   * closing one of them before the interrupts are disabled only loses its events.
   *
   * @param events the eventfd of interrupt 0, 1 and so on; one for INTx
   * @throws KernelException EINVAL: more than the device has, or another kind is enabled; ENOSPC:
   *     the host has no vectors left; ENODEV or ENOTCONN: the interrupt line cannot be used. A
   *     positive {@link KernelException#result}: the number of vectors that the host has left,
   *     fewer than there are eventfds. None is enabled, and that many can be (vfio_msi_enable)
   */
  public void enable(List<EventFd> events) {
    connect(0, events.stream().mapToInt(event -> event.fd().number()).toArray());
    enabled = true;
  }

  /**
   * Connects one interrupt to an eventfd, in place of the one that it had, if any. If the set is
   * not enabled, this enables the interrupts up to this one.
   *
   * <p>After an error, the interrupt has no eventfd: the kernel takes the old one away first. See
   * drivers/vfio/pci/vfio_pci_intrs.c:vfio_msi_set_vector_signal.
   *
   * @param index which one, from 0
   * @throws KernelException EINVAL: no such interrupt, or one that cannot be added while the others
   *     are enabled ({@link IrqInfo#isFixedSize}); otherwise as for {@link #enable}
   */
  public void connect(int index, EventFd event) {
    connect(index, event.fd().number());
    enabled = true;
  }

  /**
   * Takes one interrupt's eventfd away; the others stay. Does nothing if this set is not enabled:
   * the kernel would enable it (drivers/vfio/pci/vfio_pci_intrs.c:vfio_pci_set_msi_trigger).
   *
   * @param index which one, from 0
   * @throws KernelException EINVAL: no such interrupt
   */
  public void disconnect(int index) {
    if (enabled) {
      connect(index, NO_EVENTFD);
      enabled = !isSignalOnly();
    }
  }

  /**
   * Whether this is an eventfd of the kernel's and no interrupt of the device. Without its eventfd
   * there is nothing to disable (vfio_pci_set_ctx_trigger_single).
   */
  private boolean isSignalOnly() {
    return info.index() == Vfio.VFIO_PCI_ERR_IRQ_INDEX()
        || info.index() == Vfio.VFIO_PCI_REQ_IRQ_INDEX();
  }

  /**
   * Adds 1 to the eventfd of an interrupt as if the device had raised it.
   *
   * @param index which one, from 0
   * @throws KernelException EINVAL: this kind is not enabled
   */
  public void trigger(int index) {
    simple(Vfio.VFIO_IRQ_SET_ACTION_TRIGGER(), index, 1);
  }

  /**
   * Masks an interrupt: if the device raises it, it stays pending.
   *
   * @param index which one, from 0
   * @throws KernelException ENOTTY: this kind cannot be masked ({@link IrqInfo#canMask}); EINVAL:
   *     it is not enabled
   */
  public void mask(int index) {
    simple(Vfio.VFIO_IRQ_SET_ACTION_MASK(), index, 1);
  }

  /** Unmasks an interrupt, as is needed after each INTx. Otherwise like {@link #mask}. */
  public void unmask(int index) {
    simple(Vfio.VFIO_IRQ_SET_ACTION_UNMASK(), index, 1);
  }

  /**
   * Triggers those of several interrupts for which the array says so, like {@link #trigger(int)}.
   *
   * @param first the interrupt that the first element is for
   * @param which at least one element
   * @throws KernelException EINVAL: this kind is not enabled, or has fewer interrupts
   */
  public void trigger(int first, boolean... which) {
    chosen(Vfio.VFIO_IRQ_SET_ACTION_TRIGGER(), first, which);
  }

  /**
   * Masks those of several interrupts for which the array says so, like {@link #mask(int)}.
   *
   * @param first the interrupt that the first element is for
   * @param which at least one element
   */
  public void mask(int first, boolean... which) {
    chosen(Vfio.VFIO_IRQ_SET_ACTION_MASK(), first, which);
  }

  /**
   * Unmasks those of several interrupts for which the array says so, like {@link #unmask(int)}.
   *
   * @param first the interrupt that the first element is for
   * @param which at least one element
   */
  public void unmask(int first, boolean... which) {
    chosen(Vfio.VFIO_IRQ_SET_ACTION_UNMASK(), first, which);
  }

  /**
   * Has the kernel unmask an interrupt each time an eventfd is signalled. With the resample eventfd
   * of a KVM irqfd, the guest's end of interrupt unmasks INTx without this process. The kernel
   * takes the count of the eventfd. See drivers/vfio/virqfd.c:vfio_virqfd_enable.
   *
   * @param index which one, from 0
   * @throws KernelException EINVAL: the interrupt is not enabled; ENOTTY: this kind cannot be
   *     masked; EBUSY: another eventfd does it already, see {@link #disconnectUnmask}
   */
  public void connectUnmask(int index, EventFd event) {
    eventFds(Vfio.VFIO_IRQ_SET_ACTION_UNMASK(), index, event.fd().number());
  }

  /** Stops unmasking an interrupt when an eventfd is signalled. Otherwise like {@link #unmask}. */
  public void disconnectUnmask(int index) {
    eventFds(Vfio.VFIO_IRQ_SET_ACTION_UNMASK(), index, NO_EVENTFD);
  }

  /**
   * Has the kernel mask an interrupt each time an eventfd is signalled. Devices of a platform can
   * do that (drivers/vfio/platform/vfio_platform_irq.c:vfio_platform_set_irq_mask).
   *
   * @param index which one, from 0
   * @throws KernelException ENOTTY: it is a PCI device, whose interrupts cannot be masked this way;
   *     EINVAL: the interrupt is not enabled
   */
  public void connectMask(int index, EventFd event) {
    eventFds(Vfio.VFIO_IRQ_SET_ACTION_MASK(), index, event.fd().number());
  }

  /** Stops masking an interrupt when an eventfd is signalled. Otherwise like {@link #mask}. */
  public void disconnectMask(int index) {
    eventFds(Vfio.VFIO_IRQ_SET_ACTION_MASK(), index, NO_EVENTFD);
  }

  /** Disables all of this kind, if they are enabled. */
  @Override
  public void close() {
    if (enabled && !device.isClosed()) {
      simple(Vfio.VFIO_IRQ_SET_ACTION_TRIGGER(), 0, 0);
      enabled = false;
    }
  }

  private void connect(int start, int... eventFds) {
    eventFds(Vfio.VFIO_IRQ_SET_ACTION_TRIGGER(), start, eventFds);
  }

  private void eventFds(int action, int start, int... eventFds) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment set =
          set(
              arena,
              Vfio.VFIO_IRQ_SET_DATA_EVENTFD() | action,
              start,
              eventFds.length,
              (long) eventFds.length * Integer.BYTES);
      MemorySegment.copy(
          eventFds, 0, set, ValueLayout.JAVA_INT, vfio_irq_set.data$offset(), eventFds.length);
      device.ioctl(VfioIoctls.VFIO_DEVICE_SET_IRQS, set);
    }
  }

  private void chosen(int action, int start, boolean... which) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment set =
          set(arena, Vfio.VFIO_IRQ_SET_DATA_BOOL() | action, start, which.length, which.length);
      for (int i = 0; i < which.length; i++) {
        set.set(ValueLayout.JAVA_BYTE, vfio_irq_set.data$offset() + i, (byte) (which[i] ? 1 : 0));
      }
      device.ioctl(VfioIoctls.VFIO_DEVICE_SET_IRQS, set);
    }
  }

  private void simple(int action, int start, int count) {
    try (Arena arena = Arena.ofConfined()) {
      device.ioctl(
          VfioIoctls.VFIO_DEVICE_SET_IRQS,
          set(arena, Vfio.VFIO_IRQ_SET_DATA_NONE() | action, start, count, 0));
    }
  }

  private MemorySegment set(Arena arena, int flags, int start, int count, long dataBytes) {
    MemorySegment set = arena.allocate(vfio_irq_set.sizeof() + dataBytes, Long.BYTES);
    vfio_irq_set.argsz(set, Math.toIntExact(set.byteSize()));
    vfio_irq_set.flags(set, flags);
    vfio_irq_set.index(set, info.index());
    vfio_irq_set.start(set, start);
    vfio_irq_set.count(set, count);
    return set;
  }

  @Override
  public String toString() {
    return info.name() + " of " + device;
  }
}
