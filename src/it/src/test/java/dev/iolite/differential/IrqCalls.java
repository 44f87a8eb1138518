package dev.iolite.differential;

import static dev.iolite.differential.Machine.descriptor;
import static dev.iolite.differential.Machine.name;

import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.libc.pollfd;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_irq_info;
import dev.iolite.uapi.vfio.vfio_irq_set;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The calls about a device's interrupts, and what arrives of these. */
final class IrqCalls {
  private static final int HEAD = 20;
  private static final int FIRST_DATUM = 5;
  private static final int INTX = Vfio.VFIO_PCI_INTX_IRQ_INDEX();
  private static final int NOTHING_TRIGGERS =
      Vfio.VFIO_IRQ_SET_DATA_NONE() | Vfio.VFIO_IRQ_SET_ACTION_TRIGGER();
  private static final long RAISE = 0x60;
  private static final long ACKNOWLEDGE = 0x64;

  private final Machine machine;

  IrqCalls(Machine machine) {
    this.machine = machine;
  }

  String answer(Op op) {
    return switch (op.kind()) {
      case EVENT -> event();
      case IRQ_INFO -> info(machine.devices.get(op.arg(0)), (int) op.arg(1));
      case IRQS -> name(set(op)) + " " + signals();
      case SIGNALS -> signals();
      case RAISE -> raise(op.arg(0));
      default -> throw new IllegalArgumentException(op.toString());
    };
  }

  private String event() {
    int event = machine.keep(machine.kernel().eventfd(0, Libc.EFD_NONBLOCK()));
    if (event >= 0) {
      machine.events.add(event);
    }
    return descriptor(event);
  }

  private String info(int device, int index) {
    MemorySegment info = machine.sized(vfio_irq_info.layout());
    vfio_irq_info.index(info, index);
    int result = machine.ioctl(device, VfioIoctls.VFIO_DEVICE_GET_IRQ_INFO, info);
    return "%s %x %d".formatted(name(result), vfio_irq_info.flags(info), vfio_irq_info.count(info));
  }

  private int set(Op op) {
    int flags = (int) op.arg(1);
    int data = op.args().size() - FIRST_DATUM;
    boolean bytes = (flags & Vfio.VFIO_IRQ_SET_DATA_BOOL()) != 0;
    int size = HEAD + data * (bytes ? 1 : Integer.BYTES);
    MemorySegment set = machine.zeros(size);
    vfio_irq_set.argsz(set, size);
    vfio_irq_set.flags(set, flags);
    vfio_irq_set.index(set, (int) op.arg(2));
    vfio_irq_set.start(set, (int) op.arg(3));
    vfio_irq_set.count(set, (int) op.arg(4));
    for (int i = 0; i < data; i++) {
      long datum = op.arg(FIRST_DATUM + i);
      if (bytes) {
        set.set(ValueLayout.JAVA_BYTE, HEAD + i, (byte) (datum & 1));
      } else {
        set.set(ValueLayout.JAVA_INT, HEAD + (long) i * Integer.BYTES, machine.events.get(datum));
      }
    }
    return machine.ioctl(machine.devices.get(op.arg(0)), VfioIoctls.VFIO_DEVICE_SET_IRQS, set);
  }

  /** The counts of all eventfds; a dash where nothing has come. */
  private String signals() {
    StringBuilder text = new StringBuilder("seen");
    MemorySegment count = machine.zeros(Long.BYTES);
    for (int event : machine.events.all()) {
      long result = machine.kernel().read(event, count.address(), Long.BYTES);
      text.append(' ').append(result < 0 ? "-" : count.get(ValueLayout.JAVA_LONG, 0));
    }
    return text.toString();
  }

  /**
   * INTx is switched off first, if it is on: levels that come and go in a random order make QEMU's
   * machine lose its timer now and then. The contract suite has them. The interrupt is acknowledged
   * at the end, so that the next program has none of it.
   */
  private String raise(long reference) {
    int device = machine.devices.get(reference);
    int off = set(Op.of(Kind.IRQS, reference, NOTHING_TRIGGERS, INTX, 0, 0));
    String before = signals();
    String written = name(write(device, RAISE, 1));
    String after = arrived();
    write(device, ACKNOWLEDGE, -1);
    return name(off) + " " + before + ", " + written + " " + after;
  }

  /** As {@link #signals}, once one has come, or none in the time that it may take. */
  private String arrived() {
    int count = machine.events.all().size();
    if (count > 0) {
      MemorySegment all = machine.zeros(count * pollfd.sizeof());
      for (int i = 0; i < count; i++) {
        MemorySegment one = pollfd.asSlice(all, i);
        pollfd.fd(one, machine.events.all().get(i));
        pollfd.events(one, (short) Libc.POLLIN());
      }
      machine.kernel().poll(all.address(), count, machine.settleMillis());
    }
    return signals();
  }

  private long write(int device, long register, int data) {
    MemorySegment value = machine.zeros(Integer.BYTES);
    value.set(ValueLayout.JAVA_INT, 0, data);
    return machine.kernel().pwrite(device, value.address(), Integer.BYTES, register);
  }
}
