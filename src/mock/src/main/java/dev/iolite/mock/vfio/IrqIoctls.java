package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.EventFdFile;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.device.Msi;
import dev.iolite.mock.device.MsiX;
import dev.iolite.pci.PciRegs;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_irq_info;
import dev.iolite.uapi.vfio.vfio_irq_set;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * VFIO_DEVICE_GET_IRQ_INFO and VFIO_DEVICE_SET_IRQS
 * (drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_irq_info, vfio_pci_ioctl_set_irqs,
 * drivers/vfio/pci/vfio_pci_intrs.c).
 */
final class IrqIoctls {
  private static final int ERROR = Vfio.VFIO_PCI_ERR_IRQ_INDEX();
  private static final int REQUEST = Vfio.VFIO_PCI_REQ_IRQ_INDEX();
  private static final int COUNT = Vfio.VFIO_PCI_NUM_IRQS();
  private static final int DATA_NONE = Vfio.VFIO_IRQ_SET_DATA_NONE();
  private static final int DATA_BOOL = Vfio.VFIO_IRQ_SET_DATA_BOOL();
  private static final int DATA_EVENTFD = Vfio.VFIO_IRQ_SET_DATA_EVENTFD();
  private static final int MASK = Vfio.VFIO_IRQ_SET_ACTION_MASK();
  private static final int UNMASK = Vfio.VFIO_IRQ_SET_ACTION_UNMASK();
  private static final int TRIGGER = Vfio.VFIO_IRQ_SET_ACTION_TRIGGER();
  private static final int DATA = DATA_NONE | DATA_BOOL | DATA_EVENTFD;
  private static final int ACTION = MASK | UNMASK | TRIGGER;
  private static final long INFO_BYTES = vfio_irq_info.count$offset() + Integer.BYTES;
  private static final long SET_BYTES = vfio_irq_set.count$offset() + Integer.BYTES;

  private final Task task;
  private final VfioPciCore core;
  private final IrqState irqs;

  IrqIoctls(Task task, VfioPciCore core) {
    this.task = task;
    this.core = core;
    irqs = core.irqs();
  }

  private int count(int index) {
    int most = core.pci().vfioSeen().map(seen -> seen.count(index)).orElse(Integer.MAX_VALUE);
    return Math.min(most, countOfConfig(index));
  }

  /** vfio_pci_get_irq_count. */
  private int countOfConfig(int index) {
    if (index == IrqState.INTX) {
      return core.config().shadow(PciRegs.INTERRUPT_PIN, 1) != 0 ? 1 : 0;
    } else if (index == IrqState.MSI) {
      return core.pci().shape().msi().map(Msi::vectors).orElse(0);
    } else if (index == IrqState.MSIX) {
      return core.pci().shape().msiX().map(MsiX::vectors).orElse(0);
    }
    return index == ERROR || index == REQUEST ? 1 : 0;
  }

  int info(long address) {
    MemorySegment info = UserStructs.head(task, address, INFO_BYTES);
    int index = vfio_irq_info.index(info);
    refuseIf(Integer.compareUnsigned(index, COUNT) >= 0, Errno.EINVAL);
    int flags = Vfio.VFIO_IRQ_INFO_EVENTFD();
    if (index == IrqState.INTX) {
      flags |= Vfio.VFIO_IRQ_INFO_MASKABLE() | Vfio.VFIO_IRQ_INFO_AUTOMASKED();
    } else if (index != IrqState.MSIX || core.msixBar() < 0) {
      flags |= Vfio.VFIO_IRQ_INFO_NORESIZE();
    }
    vfio_irq_info.flags(info, flags);
    vfio_irq_info.count(info, count(index));
    task.out(address, info);
    return 0;
  }

  int set(long address) {
    MemorySegment head = task.in(address, SET_BYTES);
    int argsz = vfio_irq_set.argsz(head);
    int flags = vfio_irq_set.flags(head);
    int index = vfio_irq_set.index(head);
    int start = vfio_irq_set.start(head);
    int count = vfio_irq_set.count(head);
    // vfio_set_irqs_validate_and_prepare.
    refuseIf(
        Integer.compareUnsigned(argsz, (int) SET_BYTES) < 0
            || Integer.compareUnsigned(index, COUNT) >= 0
            || Integer.compareUnsigned(count, -1 - start) >= 0
            || (flags & ~(DATA | ACTION)) != 0,
        Errno.EINVAL);
    int most = count(index);
    refuseIf(
        Integer.compareUnsigned(start, most) >= 0
            || Integer.compareUnsigned(start + count, most) > 0,
        Errno.EINVAL);
    int data = flags & DATA;
    refuseIf(Integer.bitCount(data) != 1, Errno.EINVAL);
    int bytes = data == DATA_NONE ? 0 : data == DATA_BOOL ? count : count * Integer.BYTES;
    refuseIf(Integer.toUnsignedLong(argsz) - SET_BYTES < bytes, Errno.EINVAL);
    MemorySegment values = task.in(address + SET_BYTES, bytes);
    return set(index, flags & ACTION, new Request(start, count, data, values));
  }

  /** A request. */
  private record Request(int start, int count, int data, MemorySegment values) {
    boolean isOff() {
      return count == 0 && data == DATA_NONE;
    }

    boolean isFirstOnly() {
      return start == 0 && count == 1;
    }

    int fd(int i) {
      return values.get(ValueLayout.JAVA_INT, (long) i * Integer.BYTES);
    }

    /** Whether the i-th interrupt is included; without data, all of them are. */
    boolean is(int i) {
      return data == DATA_NONE || (data == DATA_BOOL && values.get(ValueLayout.JAVA_BYTE, i) != 0);
    }
  }

  /**
   * vfio_pci_set_irqs_ioctl.
   *
   * @return 0, or the result of {@link IrqState#enableMessages}
   */
  private int set(int index, int action, Request request) {
    if (index == IrqState.INTX && action == MASK) {
      maskLine(request);
    } else if (index == IrqState.INTX && action == UNMASK) {
      unmaskLine(request);
    } else if (action != TRIGGER) {
      throw refused(Errno.ENOTTY);
    } else if (index == IrqState.INTX) {
      triggerLine(request);
    } else if (index == ERROR) {
      triggerSingle(irqs.error(), request);
    } else if (index == REQUEST) {
      triggerSingle(irqs.request(), request);
    } else {
      return triggerMessages(index, request);
    }
    return 0;
  }

  /** vfio_pci_set_intx_mask. */
  private void maskLine(Request request) {
    refuseIf(!irqs.is(IrqState.INTX) || !request.isFirstOnly(), Errno.EINVAL);
    refuseIf(request.data == DATA_EVENTFD, Errno.ENOTTY);
    if (request.is(0)) {
      irqs.maskLine();
    }
  }

  /** vfio_pci_set_intx_unmask. */
  private void unmaskLine(Request request) {
    refuseIf(!irqs.is(IrqState.INTX) || !request.isFirstOnly(), Errno.EINVAL);
    if (request.data != DATA_EVENTFD) {
      if (request.is(0)) {
        irqs.unmaskLine();
      }
    } else if (request.fd(0) >= 0) {
      irqs.unmaskBy(irqs.eventFd(request.fd(0)));
    } else {
      irqs.unmaskByNothing();
    }
  }

  /** vfio_pci_set_intx_trigger. */
  private void triggerLine(Request request) {
    if (irqs.is(IrqState.INTX) && request.isOff()) {
      irqs.disable();
      return;
    }
    refuseIf(!(irqs.is(IrqState.INTX) || irqs.isNone()) || !request.isFirstOnly(), Errno.EINVAL);
    if (request.data == DATA_EVENTFD) {
      Optional<EventFdFile> trigger =
          request.fd(0) >= 0 ? Optional.of(irqs.eventFd(request.fd(0))) : Optional.empty();
      if (irqs.is(IrqState.INTX)) {
        irqs.replaceLine(trigger);
      } else {
        irqs.enableLine(trigger);
      }
      return;
    }
    refuseIf(!irqs.is(IrqState.INTX), Errno.EINVAL);
    if (request.is(0)) {
      irqs.signalLine();
    }
  }

  /** vfio_pci_set_msi_trigger. */
  private int triggerMessages(int index, Request request) {
    if (irqs.is(index) && request.isOff()) {
      irqs.disable();
      return 0;
    }
    refuseIf(!(irqs.is(index) || irqs.isNone()), Errno.EINVAL);
    if (request.data == DATA_EVENTFD) {
      return setMessages(index, request);
    }
    refuseIf(!irqs.is(index), Errno.EINVAL);
    for (int i = 0; i < request.count; i++) {
      if (request.is(i)) {
        irqs.signalMessage(request.start + i);
      }
    }
    return 0;
  }

  private int setMessages(int index, Request request) {
    int[] fds = request.values.toArray(ValueLayout.JAVA_INT);
    if (irqs.is(index)) {
      irqs.setMessages(request.start, fds);
      return 0;
    }
    int available = irqs.enableMessages(index, request.start + request.count);
    if (available != 0) {
      return available;
    }
    try {
      irqs.setMessages(request.start, fds);
    } catch (Refused e) {
      irqs.disable();
      throw e;
    }
    return 0;
  }

  /** vfio_pci_set_ctx_trigger_single. */
  private void triggerSingle(IrqState.OptionalEvent slot, Request request) {
    if (request.data == DATA_NONE) {
      refuseIf(slot.event().isEmpty(), Errno.EINVAL);
      if (request.count != 0) {
        slot.event().ifPresent(EventFdFile::signal);
      } else {
        slot.replace(Optional.empty());
      }
      return;
    }
    refuseIf(request.count == 0, Errno.EINVAL);
    if (request.data == DATA_BOOL) {
      if (request.is(0)) {
        slot.event().ifPresent(EventFdFile::signal);
      }
      return;
    }
    int fd = request.fd(0);
    refuseIf(fd < -1, Errno.EINVAL);
    slot.replace(fd == -1 ? Optional.empty() : Optional.of(irqs.eventFd(fd)));
  }
}
