package dev.iolite.differential;

import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.vfio.Vfio;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Makes programs of mostly valid calls. Addresses and lengths come from small pools, so that they
 * meet often.
 */
final class Generator {
  private static final long PAGE = 4096;
  private static final int LEAST = 30;
  private static final int MOST = 70;
  private static final int READ_WRITE =
      Iommufd.IOMMU_IOAS_MAP_READABLE() | Iommufd.IOMMU_IOAS_MAP_WRITEABLE();
  private static final int FIXED = Iommufd.IOMMU_IOAS_MAP_FIXED_IOVA();
  private static final long MSI_WINDOW = 0xfee0_0000L;
  private static final long[] ODD_IOVAS = {
    0,
    0x100800,
    MSI_WINDOW,
    MSI_WINDOW - PAGE,
    MSI_WINDOW + (1 << 20),
    (1L << 39) - PAGE,
    1L << 39,
    -PAGE,
    -1,
    0x7fffffff
  };
  private static final long[] ODD_LENGTHS = {0, 1, 0x800, -1, 1L << 40, 1L << 63};

  private static final long INTX = Vfio.VFIO_PCI_INTX_IRQ_INDEX();
  private static final long MSI = Vfio.VFIO_PCI_MSI_IRQ_INDEX();
  private static final long MSIX = Vfio.VFIO_PCI_MSIX_IRQ_INDEX();

  private final SplittableRandom random;

  /** Where the program has mapped something, perhaps. */
  private final List<Range> mapped = new ArrayList<>();

  /** Where the guest has memory, perhaps. */
  private final List<Range> slots = new ArrayList<>();

  /** The messages that the device opened last can send. */
  private long messages = MSI;

  /** The interrupts that were asked for last. */
  private long lastIndex = INTX;

  private record Range(long start, long length) {}

  private Generator(long seed) {
    random = new SplittableRandom(seed);
  }

  /** The program of a seed; the same everywhere. */
  static List<Op> program(long seed) {
    Generator generator = new Generator(seed);
    int length = generator.random.nextInt(LEAST, MOST);
    List<Op> program = new ArrayList<>(length);
    boolean virtual = generator.oneIn(3);
    generator.start(program, virtual);
    while (program.size() < length) {
      program.add(virtual && !generator.oneIn(4) ? generator.kvm() : generator.devices());
    }
    return program;
  }

  /** So that most programs have something to work on. */
  private void start(List<Op> program, boolean virtual) {
    program.add(Op.of(Kind.IOAS));
    if (!oneIn(4)) {
      program.add(Op.of(Kind.OPEN, device()));
      program.add(Op.of(Kind.BIND, 0));
      program.add(Op.of(Kind.COMMAND, 0, 6));
      if (oneIn(3)) {
        program.add(Op.of(Kind.EVENT));
        program.add(Op.of(Kind.EVENT));
        program.add(trigger(pick(INTX, messages, messages)));
      }
    }
    if (!oneIn(3)) {
      program.add(Op.of(Kind.ATTACH, 0, 0));
    }
    if (virtual) {
      program.add(Op.of(Kind.VM, random.nextInt(2)));
      program.add(Op.of(Kind.VCPU, 0, 0));
    }
  }

  /**
   * edu, which has MSI, or the NVMe controller, which has MSI-X; seldom, for the kernel resets that
   * with each open and close, which takes 100 ms.
   */
  private long device() {
    boolean nvme = oneIn(16);
    messages = nvme ? MSIX : MSI;
    return nvme ? 1 : 0;
  }

  private boolean oneIn(int count) {
    return random.nextInt(count) == 0;
  }

  /** A reference, seldom to nothing. */
  private long ref() {
    return oneIn(40) ? -1 : pick(0, 0, 0, 1, 1, 2, 3);
  }

  private long pick(long... values) {
    return values[random.nextInt(values.length)];
  }

  private long page(int count) {
    return PAGE * random.nextInt(count);
  }

  private long iova() {
    return oneIn(12) ? pick(ODD_IOVAS) : 0x10_0000 + page(16);
  }

  private long length() {
    return oneIn(15) ? pick(ODD_LENGTHS) : PAGE * pick(1, 1, 1, 2, 2, 3, 4, 8);
  }

  /** Without the long ones: KVM takes memory for every page of them. */
  private long guestLength() {
    return oneIn(15) ? pick(0, 1, 0x800, -1) : PAGE * pick(1, 1, 1, 2, 2, 3, 4, 8);
  }

  private long flags() {
    if (oneIn(25)) {
      return random.nextInt(16);
    }
    long access = pick(READ_WRITE, READ_WRITE, READ_WRITE, Iommufd.IOMMU_IOAS_MAP_READABLE());
    return access | (oneIn(4) ? 0 : FIXED);
  }

  private long offset() {
    return oneIn(20) ? pick(0x800, -1, -2) : page(12);
  }

  /** A range that is new. */
  private Range fresh() {
    Range range = new Range(iova(), length());
    mapped.add(range);
    return range;
  }

  /** A range of a list, or one that is as good as any. */
  private Range known(List<Range> ranges) {
    return ranges.isEmpty() || oneIn(4)
        ? new Range(iova(), length())
        : ranges.get(random.nextInt(ranges.size()));
  }

  private Op map() {
    Range range = fresh();
    return Op.of(Kind.MAP, ref(), flags(), offset(), range.length, range.start);
  }

  private Op mapFile() {
    Range range = fresh();
    long file = oneIn(2) ? 0 : ref();
    return Op.of(Kind.MAP_FILE, ref(), flags(), file, offset(), range.length, range.start);
  }

  private Op copy() {
    Range from = known(mapped);
    long length = oneIn(3) ? PAGE : from.length;
    long to = iova();
    mapped.add(new Range(to, length));
    return Op.of(Kind.COPY, ref(), flags(), to, ref(), from.start, length);
  }

  private Op unmap() {
    if (oneIn(20)) {
      return Op.of(Kind.UNMAP, ref(), 0, -1);
    }
    Range range = known(mapped);
    return Op.of(Kind.UNMAP, ref(), range.start, range.length);
  }

  /** Eventfds for the first vectors. */
  private Op trigger(long index) {
    long flags = Vfio.VFIO_IRQ_SET_DATA_EVENTFD() | Vfio.VFIO_IRQ_SET_ACTION_TRIGGER();
    lastIndex = index;
    return index == MSIX && !oneIn(3)
        ? Op.of(Kind.IRQS, 0, flags, index, 0, 2, 0, 1)
        : Op.of(Kind.IRQS, 0, flags, index, 0, 1, 0);
  }

  private Op interrupts() {
    int draw = random.nextInt(100);
    if (draw < 8) {
      return Op.of(Kind.EVENT);
    } else if (draw < 14) {
      return Op.of(Kind.IRQ_INFO, ref(), random.nextInt(7));
    } else if (draw < 26) {
      return trigger(pick(INTX, messages, messages, messages, MSIX, 3, 4));
    } else if (draw < 72) {
      return irqs();
    } else if (draw < 74) {
      return Op.of(Kind.RAISE, ref());
    }
    return Op.of(Kind.SIGNALS);
  }

  private Op irqs() {
    long data =
        pick(
            Vfio.VFIO_IRQ_SET_DATA_NONE(),
            Vfio.VFIO_IRQ_SET_DATA_BOOL(),
            Vfio.VFIO_IRQ_SET_DATA_EVENTFD());
    long action =
        pick(
            Vfio.VFIO_IRQ_SET_ACTION_TRIGGER(),
            Vfio.VFIO_IRQ_SET_ACTION_TRIGGER(),
            Vfio.VFIO_IRQ_SET_ACTION_TRIGGER(),
            Vfio.VFIO_IRQ_SET_ACTION_MASK(),
            Vfio.VFIO_IRQ_SET_ACTION_UNMASK());
    long flags = oneIn(20) ? random.nextInt(128) : data | action;
    long count = pick(0, 1, 1, 1, 2, 3);
    long start = pick(0, 0, 0, 0, 0, 0, 1, 2, 70);
    long given = oneIn(20) ? random.nextInt(4) : data == Vfio.VFIO_IRQ_SET_DATA_NONE() ? 0 : count;
    long[] arguments = new long[(int) (5 + given)];
    arguments[0] = ref();
    arguments[1] = flags;
    arguments[2] = oneIn(5) ? random.nextInt(7) : lastIndex;
    arguments[3] = start;
    arguments[4] = oneIn(40) ? pick(-1, 1 << 20) : count;
    for (int i = 5; i < arguments.length; i++) {
      arguments[i] = ref();
    }
    return Op.of(Kind.IRQS, arguments);
  }

  private Op devices() {
    if (oneIn(8)) {
      return interrupts();
    } else if (oneIn(50)) {
      return Op.of(Kind.CONTEXT, random.nextInt(2));
    }
    int draw = random.nextInt(1000);
    if (draw < 220) {
      return map();
    } else if (draw < 330) {
      return mapFile();
    } else if (draw < 410) {
      return copy();
    } else if (draw < 560) {
      return unmap();
    } else if (draw < 600) {
      return Op.of(Kind.IOAS);
    } else if (draw < 640) {
      return Op.of(Kind.DESTROY, ref());
    } else if (draw < 670) {
      return Op.of(Kind.RANGES, ref(), random.nextInt(4));
    } else if (draw < 690) {
      long start = iova();
      return Op.of(Kind.ALLOW, ref(), start, start + length() - 1, iova(), iova());
    } else if (draw < 710) {
      return Op.of(Kind.OPTION, random.nextInt(3), random.nextInt(3), ref(), random.nextInt(3));
    } else if (draw < 740) {
      return Op.of(Kind.HWPT, oneIn(5) ? random.nextInt(32) : 0, ref(), ref());
    } else if (draw < 745) {
      return Op.of(Kind.HW_INFO, ref());
    } else if (draw < 755) {
      return Op.of(Kind.VFIO_IOAS, random.nextInt(4), ref());
    } else if (draw < 760) {
      return Op.of(Kind.CHANGE_PROCESS);
    } else if (draw < 775) {
      return Op.of(Kind.OPEN, device());
    } else if (draw < 785) {
      return Op.of(Kind.CLOSE, ref());
    } else if (draw < 805) {
      return Op.of(Kind.BIND, ref());
    } else if (draw < 860) {
      return Op.of(Kind.ATTACH, ref(), ref());
    } else if (draw < 880) {
      return Op.of(Kind.DETACH, ref());
    } else if (draw < 920) {
      return Op.of(Kind.COMMAND, ref(), pick(0, 2, 4, 6, 6, 6, 0x406));
    } else if (draw < 955) {
      return export();
    } else if (draw < 965) {
      return Op.of(Kind.CLOSE_BUF, ref());
    } else if (draw < 980) {
      return Op.of(
          Kind.READ, ref(), pick(0, 0, 7, 7, 1, 6, 8, 9), pick(0, 4, 0x34, 0xfe, 0xffffc), 4);
    } else if (draw < 985) {
      return Op.of(Kind.RESET, ref());
    } else if (draw < 995) {
      return Op.of(Kind.REGION, ref(), random.nextInt(11));
    }
    return Op.of(Kind.DMA, 0, 0x10_0000 + page(16));
  }

  private Op export() {
    long region = oneIn(10) ? random.nextInt(9) : 0;
    long second = oneIn(4) ? length() : -2;
    return Op.of(Kind.EXPORT, ref(), region, page(16), length(), page(16), second);
  }

  private long gpa() {
    return oneIn(20) ? pick(0x800, -PAGE, 1L << 40, 0) : 0x10_0000 + page(12);
  }

  private Op kvm() {
    int draw = random.nextInt(1000);
    if (draw < 420) {
      return slot();
    } else if (draw < 540) {
      return Op.of(Kind.ATTRIBUTES, ref(), gpa(), guestLength(), oneIn(15) ? 1 : pick(0, 8, 8));
    } else if (draw < 640) {
      return Op.of(Kind.GMEM, ref(), guestLength(), oneIn(3) ? random.nextInt(6) : 0);
    } else if (draw < 670) {
      return Op.of(Kind.CLOSE_GMEM, ref());
    } else if (draw < 690) {
      return Op.of(Kind.VM, oneIn(20) ? 9 : random.nextInt(2));
    } else if (draw < 710) {
      return Op.of(Kind.VCPU, ref(), random.nextInt(2));
    } else if (draw < 920) {
      Range range = slots.isEmpty() || oneIn(4) ? new Range(gpa(), guestLength()) : last(slots);
      return Op.of(Kind.PRE_FAULT, ref(), range.start, range.length);
    } else if (draw < 950) {
      return Op.of(Kind.LIST, ref());
    }
    return Op.of(Kind.LIST_SET, ref(), oneIn(20) ? 3 : 1 + random.nextInt(2), ref());
  }

  private Op slot() {
    long version = oneIn(4) ? 1 : 2;
    long id = oneIn(40) ? pick(32763, 32764, 1 << 16) : random.nextInt(5);
    long flags = oneIn(6) ? random.nextInt(10) : pick(0, 0, 4);
    // A slot that is there can be moved only with the memory and the size that it has.
    long bytes = oneIn(4) ? 0 : oneIn(3) ? guestLength() : 2 * PAGE;
    long memory = oneIn(4) ? offset() : 2 * PAGE * (id & 3);
    long gpa = gpa();
    slots.add(new Range(gpa, PAGE));
    return Op.of(Kind.SLOT, ref(), version, id, flags, gpa, bytes, memory, ref(), page(4));
  }

  private Range last(List<Range> ranges) {
    return ranges.get(Math.max(0, ranges.size() - 1 - random.nextInt(6)));
  }
}
