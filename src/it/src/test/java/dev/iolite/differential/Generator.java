package dev.iolite.differential;

import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.vfio.Vfio;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes programs of mostly valid calls. Addresses and lengths come from small pools, so that they
 * meet often.
 */
final class Generator {
  private static final long PAGE = Machine.PAGE;
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

  private final Chance chance;

  /** Where the program has mapped something, perhaps. */
  private final List<Range> mapped = new ArrayList<>();

  /** Where the guest has memory, perhaps. */
  private final List<Range> slots = new ArrayList<>();

  /** The messages that the device opened last can send. */
  private long messages = MSI;

  /** The interrupts that were asked for last. */
  private long lastIndex = INTX;

  private record Range(long start, long length) {}

  Generator(Chance chance) {
    this.chance = chance;
  }

  /** The program of a seed; the same everywhere. */
  static List<Op> program(long seed) {
    Generator generator = new Generator(new Chance(seed));
    int length = generator.chance.between(LEAST, MOST);
    List<Op> program = new ArrayList<>(length);
    boolean virtual = generator.chance.oneIn(3);
    generator.start(program, virtual);
    while (program.size() < length) {
      program.add(virtual && !generator.chance.oneIn(4) ? generator.kvm() : generator.devices());
    }
    return program;
  }

  /** So that most programs have something to work on. */
  private void start(List<Op> program, boolean virtual) {
    program.add(Op.of(Kind.IOAS));
    if (!chance.oneIn(4)) {
      program.add(Op.of(Kind.OPEN, device()));
      program.add(Op.of(Kind.BIND, 0));
      program.add(Op.of(Kind.COMMAND, 0, 6));
      if (chance.oneIn(3)) {
        program.add(Op.of(Kind.EVENT));
        program.add(Op.of(Kind.EVENT));
        program.add(trigger(chance.pick(INTX, messages, messages)));
      }
    }
    if (!chance.oneIn(3)) {
      program.add(Op.of(Kind.ATTACH, 0, 0));
    }
    if (virtual) {
      program.add(Op.of(Kind.VM, chance.below(2)));
      program.add(Op.of(Kind.VCPU, 0, 0));
    }
  }

  /**
   * edu, which has MSI, or the NVMe controller, which has MSI-X; seldom, for the kernel resets that
   * with each open and close, which takes 100 ms.
   */
  private long device() {
    boolean nvme = chance.oneIn(16);
    messages = nvme ? MSIX : MSI;
    return nvme ? 1 : 0;
  }

  private long iova() {
    return chance.oneIn(12) ? chance.pick(ODD_IOVAS) : 0x10_0000 + chance.page(16);
  }

  private long length() {
    return chance.oneIn(15) ? chance.pick(ODD_LENGTHS) : PAGE * chance.pick(1, 1, 1, 2, 2, 3, 4, 8);
  }

  /** Without the long ones: KVM takes memory for every page of them. */
  private long guestLength() {
    return chance.oneIn(15)
        ? chance.pick(0, 1, 0x800, -1)
        : PAGE * chance.pick(1, 1, 1, 2, 2, 3, 4, 8);
  }

  private long flags() {
    if (chance.oneIn(25)) {
      return chance.below(16);
    }
    long access =
        chance.pick(READ_WRITE, READ_WRITE, READ_WRITE, Iommufd.IOMMU_IOAS_MAP_READABLE());
    return access | (chance.oneIn(4) ? 0 : FIXED);
  }

  private long offset() {
    return chance.oneIn(20) ? chance.pick(0x800, -1, -2) : chance.page(12);
  }

  /** A range that is new. */
  private Range fresh() {
    Range range = new Range(iova(), length());
    mapped.add(range);
    return range;
  }

  /** A range of a list, or one that is as good as any. */
  private Range known(List<Range> ranges) {
    return ranges.isEmpty() || chance.oneIn(4)
        ? new Range(iova(), length())
        : ranges.get(chance.below(ranges.size()));
  }

  private Op map() {
    Range range = fresh();
    return Op.of(Kind.MAP, chance.ref(), flags(), offset(), range.length, range.start);
  }

  private Op mapFile() {
    Range range = fresh();
    long file = chance.oneIn(2) ? 0 : chance.ref();
    return Op.of(Kind.MAP_FILE, chance.ref(), flags(), file, offset(), range.length, range.start);
  }

  private Op copy() {
    Range from = known(mapped);
    long length = chance.oneIn(3) ? PAGE : from.length;
    long to = iova();
    mapped.add(new Range(to, length));
    return Op.of(Kind.COPY, chance.ref(), flags(), to, chance.ref(), from.start, length);
  }

  private Op unmap() {
    if (chance.oneIn(20)) {
      return Op.of(Kind.UNMAP, chance.ref(), 0, -1);
    }
    Range range = known(mapped);
    return Op.of(Kind.UNMAP, chance.ref(), range.start, range.length);
  }

  /** Eventfds for the first vectors. */
  private Op trigger(long index) {
    long flags = Vfio.VFIO_IRQ_SET_DATA_EVENTFD() | Vfio.VFIO_IRQ_SET_ACTION_TRIGGER();
    lastIndex = index;
    return index == MSIX && !chance.oneIn(3)
        ? Op.of(Kind.IRQS, 0, flags, index, 0, 2, 0, 1)
        : Op.of(Kind.IRQS, 0, flags, index, 0, 1, 0);
  }

  private Op interrupts() {
    int draw = chance.below(100);
    if (draw < 8) {
      return Op.of(Kind.EVENT);
    } else if (draw < 14) {
      return Op.of(Kind.IRQ_INFO, chance.ref(), chance.below(7));
    } else if (draw < 26) {
      return trigger(chance.pick(INTX, messages, messages, messages, MSIX, 3, 4));
    } else if (draw < 72) {
      return irqs();
    } else if (draw < 74) {
      return Op.of(Kind.RAISE, chance.ref());
    }
    return Op.of(Kind.SIGNALS);
  }

  private Op irqs() {
    long data =
        chance.pick(
            Vfio.VFIO_IRQ_SET_DATA_NONE(),
            Vfio.VFIO_IRQ_SET_DATA_BOOL(),
            Vfio.VFIO_IRQ_SET_DATA_EVENTFD());
    long action =
        chance.pick(
            Vfio.VFIO_IRQ_SET_ACTION_TRIGGER(),
            Vfio.VFIO_IRQ_SET_ACTION_TRIGGER(),
            Vfio.VFIO_IRQ_SET_ACTION_TRIGGER(),
            Vfio.VFIO_IRQ_SET_ACTION_MASK(),
            Vfio.VFIO_IRQ_SET_ACTION_UNMASK());
    long flags = chance.oneIn(20) ? chance.below(128) : data | action;
    long count = chance.pick(0, 1, 1, 1, 2, 3);
    long start = chance.pick(0, 0, 0, 0, 0, 0, 1, 2, 70);
    long given =
        chance.oneIn(20) ? chance.below(4) : data == Vfio.VFIO_IRQ_SET_DATA_NONE() ? 0 : count;
    long[] arguments = new long[(int) (5 + given)];
    arguments[0] = chance.ref();
    arguments[1] = flags;
    arguments[2] = chance.oneIn(5) ? chance.below(7) : lastIndex;
    arguments[3] = start;
    arguments[4] = chance.oneIn(40) ? chance.pick(-1, 1 << 20) : count;
    for (int i = 5; i < arguments.length; i++) {
      arguments[i] = chance.ref();
    }
    return Op.of(Kind.IRQS, arguments);
  }

  /** A call on an iommufd or a device. */
  Op devices() {
    if (chance.oneIn(8)) {
      return interrupts();
    } else if (chance.oneIn(50)) {
      return Op.of(Kind.CONTEXT, chance.below(2));
    }
    int draw = chance.below(1000);
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
      return Op.of(Kind.DESTROY, chance.ref());
    } else if (draw < 670) {
      return Op.of(Kind.RANGES, chance.ref(), chance.below(4));
    } else if (draw < 690) {
      long start = iova();
      return Op.of(Kind.ALLOW, chance.ref(), start, start + length() - 1, iova(), iova());
    } else if (draw < 710) {
      return Op.of(Kind.OPTION, chance.below(3), chance.below(3), chance.ref(), chance.below(3));
    } else if (draw < 740) {
      return Op.of(Kind.HWPT, chance.oneIn(5) ? chance.below(32) : 0, chance.ref(), chance.ref());
    } else if (draw < 745) {
      return Op.of(Kind.HW_INFO, chance.ref());
    } else if (draw < 755) {
      return Op.of(Kind.VFIO_IOAS, chance.below(4), chance.ref());
    } else if (draw < 760) {
      return Op.of(Kind.CHANGE_PROCESS);
    } else if (draw < 775) {
      return Op.of(Kind.OPEN, device());
    } else if (draw < 785) {
      return Op.of(Kind.CLOSE, chance.ref());
    } else if (draw < 805) {
      return Op.of(Kind.BIND, chance.ref());
    } else if (draw < 860) {
      return Op.of(Kind.ATTACH, chance.ref(), chance.ref());
    } else if (draw < 880) {
      return Op.of(Kind.DETACH, chance.ref());
    } else if (draw < 920) {
      return Op.of(Kind.COMMAND, chance.ref(), chance.pick(0, 2, 4, 6, 6, 6, 0x406));
    } else if (draw < 955) {
      return export();
    } else if (draw < 965) {
      return Op.of(Kind.CLOSE_BUF, chance.ref());
    } else if (draw < 980) {
      return Op.of(
          Kind.READ,
          chance.ref(),
          chance.pick(0, 0, 7, 7, 1, 6, 8, 9),
          chance.pick(0, 4, 0x34, 0xfe, 0xffffc),
          4);
    } else if (draw < 985) {
      return Op.of(Kind.RESET, chance.ref());
    } else if (draw < 995) {
      return Op.of(Kind.REGION, chance.ref(), chance.below(11));
    }
    return Op.of(Kind.DMA, 0, 0x10_0000 + chance.page(16));
  }

  private Op export() {
    long region = chance.oneIn(10) ? chance.below(9) : 0;
    long second = chance.oneIn(4) ? length() : -2;
    return Op.of(
        Kind.EXPORT, chance.ref(), 0, region, chance.page(16), length(), chance.page(16), second);
  }

  private long gpa() {
    return chance.oneIn(20) ? chance.pick(0x800, -PAGE, 1L << 40, 0) : 0x10_0000 + chance.page(12);
  }

  /** A call on a VM or a vCPU. */
  Op kvm() {
    int draw = chance.below(1000);
    if (draw < 420) {
      return slot();
    } else if (draw < 540) {
      return Op.of(
          Kind.ATTRIBUTES,
          chance.ref(),
          gpa(),
          guestLength(),
          chance.oneIn(15) ? 1 : chance.pick(0, 8, 8));
    } else if (draw < 640) {
      return Op.of(Kind.GMEM, chance.ref(), guestLength(), chance.oneIn(3) ? chance.below(6) : 0);
    } else if (draw < 670) {
      return Op.of(Kind.CLOSE_GMEM, chance.ref());
    } else if (draw < 690) {
      return Op.of(Kind.VM, chance.oneIn(20) ? 9 : chance.below(2));
    } else if (draw < 710) {
      return Op.of(Kind.VCPU, chance.ref(), chance.below(2));
    } else if (draw < 920) {
      Range range =
          slots.isEmpty() || chance.oneIn(4) ? new Range(gpa(), guestLength()) : last(slots);
      return Op.of(Kind.PRE_FAULT, chance.ref(), range.start, range.length);
    } else if (draw < 950) {
      return Op.of(Kind.LIST, chance.ref());
    }
    return Op.of(
        Kind.LIST_SET, chance.ref(), chance.oneIn(20) ? 3 : 1 + chance.below(2), chance.ref());
  }

  private Op slot() {
    long version = chance.oneIn(4) ? 1 : 2;
    long id = chance.oneIn(40) ? chance.pick(32763, 32764, 1 << 16) : chance.below(5);
    long flags = chance.oneIn(6) ? chance.below(10) : chance.pick(0, 0, 4);
    // A slot that is there can be moved only with the memory and the size that it has.
    long bytes = chance.oneIn(4) ? 0 : chance.oneIn(3) ? guestLength() : 2 * PAGE;
    long memory = chance.oneIn(4) ? offset() : 2 * PAGE * (id & 3);
    long gpa = gpa();
    slots.add(new Range(gpa, PAGE));
    return Op.of(
        Kind.SLOT,
        chance.ref(),
        version,
        id,
        flags,
        gpa,
        bytes,
        memory,
        chance.ref(),
        chance.page(4));
  }

  private Range last(List<Range> ranges) {
    return ranges.get(Math.max(0, ranges.size() - 1 - chance.below(6)));
  }
}
