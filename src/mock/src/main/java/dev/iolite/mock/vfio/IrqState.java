package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.EventFdFile;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.pci.PciDev;
import dev.iolite.pci.PciRegs;
import dev.iolite.uapi.vfio.Vfio;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.IntSupplier;

/**
 * The enabled interrupts of a device, and what they signal (drivers/vfio/pci/vfio_pci_intrs.c).
 * Only one of INTx, MSI and MSI-X is on at a time.
 */
final class IrqState {
  static final int INTX = Vfio.VFIO_PCI_INTX_IRQ_INDEX();
  static final int MSI = Vfio.VFIO_PCI_MSI_IRQ_INDEX();
  static final int MSIX = Vfio.VFIO_PCI_MSIX_IRQ_INDEX();
  private static final int NONE = Vfio.VFIO_PCI_NUM_IRQS();

  private final Task task;
  private final VfioPciCore core;
  private final PciDev pci;
  private int type = NONE;
  private final TreeMap<Integer, EventFdFile> vectors = new TreeMap<>();
  private int msiQueueSize;
  private Optional<EventFdFile> line = Optional.empty();
  private boolean lineMasked;
  private boolean intxDisabled;
  private Optional<EventFdFile> unmaskEvent = Optional.empty();
  private final Runnable unmaskListener = this::unmaskLine;
  private final OptionalEvent error = new OptionalEvent();
  private final OptionalEvent request = new OptionalEvent();

  IrqState(Task task, VfioPciCore core) {
    this.task = task;
    this.core = core;
    pci = core.pci();
  }

  /** An eventfd that can be replaced (struct vfio_pci_eventfd). */
  static final class OptionalEvent {
    private Optional<EventFdFile> event = Optional.empty();

    Optional<EventFdFile> event() {
      return event;
    }

    /** vfio_pci_eventfd_replace_locked; takes over the reference of the new one. */
    void replace(Optional<EventFdFile> replacement) {
      event.ifPresent(EventFdFile::put);
      event = replacement;
    }
  }

  boolean isNone() {
    return type == NONE;
  }

  boolean is(int kind) {
    return type == kind;
  }

  boolean isMsi() {
    return type == MSI;
  }

  /** The binary logarithm of the number of messages for which MSI may be set up. */
  int msiQueueSize() {
    return msiQueueSize;
  }

  OptionalEvent error() {
    return error;
  }

  OptionalEvent request() {
    return request;
  }

  /** vfio_pci_core_request: asks the user to release the device. */
  void askForRelease() {
    request.event().ifPresent(EventFdFile::signal);
  }

  /** eventfd_ctx_fdget: EBADF, or EINVAL if it is not an eventfd; takes a reference. */
  EventFdFile eventFd(int fd) {
    EventFdFile event =
        task.descriptors().get(fd, EventFdFile.class).orElseThrow(() -> refused(Errno.EINVAL));
    event.get();
    return event;
  }

  // -- INTx

  /** vfio_intx_enable. */
  void enableLine(Optional<EventFdFile> trigger) {
    refuseIf(pci.irq() == 0, Errno.ENODEV);
    line = trigger;
    lineMasked = intxDisabled;
    type = INTX;
    pci.setIntx(!lineMasked);
    pci.connectLine(this::lineRaised);
  }

  /** vfio_intx_set_signal. */
  void replaceLine(Optional<EventFdFile> trigger) {
    Optional<EventFdFile> old = line;
    line = trigger;
    old.ifPresent(EventFdFile::put);
  }

  /** vfio_intx_handler: each interrupt masks the line. */
  private void lineRaised() {
    if (!lineMasked) {
      pci.setIntx(false);
      lineMasked = true;
      signalLine();
    }
  }

  /** vfio_send_intx_eventfd. */
  void signalLine() {
    if (type == INTX && !intxDisabled) {
      line.ifPresent(EventFdFile::signal);
    }
  }

  /** __vfio_pci_intx_mask. */
  void maskLine() {
    pci.setIntx(false);
    lineMasked = true;
  }

  /** __vfio_pci_intx_unmask: a pending interrupt is signalled again, and the line stays masked. */
  void unmaskLine() {
    if (type != INTX) {
      pci.setIntx(true);
    } else if (lineMasked && !intxDisabled) {
      if (pci.isLineAsserted()) {
        signalLine();
      } else {
        lineMasked = false;
        pci.setIntx(true);
      }
    }
  }

  /** vfio_virqfd_enable for the unmasking: EBUSY if there is one. */
  void unmaskBy(EventFdFile event) {
    if (unmaskEvent.isPresent()) {
      event.put();
      throw refused(Errno.EBUSY);
    }
    unmaskEvent = Optional.of(event);
    event.listen(unmaskListener);
  }

  void unmaskByNothing() {
    unmaskEvent.ifPresent(event -> {
      event.ignore(unmaskListener);
      event.put();
    });
    unmaskEvent = Optional.empty();
  }

  /** Does what vfio_basic_config_write does for the bit of the command register. */
  void setIntxDisabled(boolean disabled) {
    if (disabled && !intxDisabled) {
      intxDisabled = true;
      if (type == INTX) {
        maskLine();
      } else {
        pci.setIntx(false);
      }
    } else if (!disabled && intxDisabled) {
      intxDisabled = false;
      unmaskLine();
    }
  }

  // -- MSI and MSI-X

  /**
   * vfio_msi_enable.
   *
   * @return 0; or the number of vectors that the host has if that is fewer than requested, in which
   *     case none is kept
   * @throws Refused ERANGE if 0 are requested (drivers/pci/msi/msi.c:__pci_enable_msi_range);
   *     ENOSPC: the host has no vector
   */
  int enableMessages(int kind, int count) {
    refuseIf(count == 0, Errno.ERANGE);
    int available =
        keepingCommand(() -> {
          int allocated = pci.allocateMessages(count, kind == MSIX);
          if (allocated < count) {
            pci.freeMessages();
          }
          return allocated;
        });
    if (available < count) {
      return available;
    }
    type = kind;
    if (kind == MSI) {
      msiQueueSize = Integer.SIZE - 1 - Integer.numberOfLeadingZeros(count * 2 - 1);
    }
    return 0;
  }

  /**
   * vfio_pci_memory_lock_and_enable and its counterpart: undoes what PCI does to the command
   * register in between, such as disabling the line.
   */
  private int keepingCommand(IntSupplier body) {
    int command = pci.function().configRead(PciRegs.COMMAND, 2);
    int result = body.getAsInt();
    pci.function().configWrite(PciRegs.COMMAND, 2, command);
    return result;
  }

  /**
   * vfio_msi_set_block: sets all or none.
   *
   * @param fds an eventfd for each, or a negative number for none
   */
  void setMessages(int start, int... fds) {
    int next = start;
    try {
      for (int fd : fds) {
        setMessage(next++, fd);
      }
    } catch (Refused e) {
      for (int vector = start; vector < next; vector++) {
        dropMessage(vector);
      }
      throw e;
    }
  }

  /** vfio_msi_set_vector_signal. */
  private void setMessage(int vector, int fd) {
    dropMessage(vector);
    if (fd < 0) {
      return;
    }
    // MSI-X can get one more message while it is enabled; MSI can't.
    refuseIf(type == MSI && vector >= pci.messages(), Errno.EINVAL);
    EventFdFile event = eventFd(fd);
    vectors.put(vector, event);
    pci.connectMessage(vector, event::signal);
  }

  private void dropMessage(int vector) {
    EventFdFile old = vectors.remove(vector);
    if (old != null) {
      pci.disconnectMessage(vector);
      old.put();
    }
  }

  void signalMessage(int vector) {
    EventFdFile event = vectors.get(vector);
    if (event != null) {
      event.signal();
    }
  }

  // -- off

  /** vfio_intx_disable, vfio_msi_disable. */
  void disable() {
    if (type == INTX) {
      unmaskByNothing();
      pci.disconnectLine();
      replaceLine(Optional.empty());
    } else if (type == MSI || type == MSIX) {
      List<Integer> all = new ArrayList<>(vectors.keySet());
      all.forEach(this::dropMessage);
      keepingCommand(() -> {
        pci.freeMessages();
        return 0;
      });
    }
    type = NONE;
  }

  /** Forgets what else the last close forgets. */
  void forget() {
    intxDisabled = false;
    error.replace(Optional.empty());
    request.replace(Optional.empty());
  }

  @Override
  public String toString() {
    return "interrupts of " + core.pci();
  }
}
