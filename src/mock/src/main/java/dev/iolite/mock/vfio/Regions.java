package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.MapRequest;
import dev.iolite.mock.core.MappedObject;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.pci.IoResource;
import dev.iolite.mock.pci.PciDev;
import dev.iolite.uapi.vfio.Vfio;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Reads, writes and mappings of a device's regions (drivers/vfio/pci/vfio_pci_core.c:vfio_pci_rw,
 * vfio_pci_core_mmap, drivers/vfio/pci/vfio_pci_rdwr.c). Bits 40 and up of an offset are the
 * region's index.
 */
final class Regions {
  static final int OFFSET_SHIFT = 40;
  private static final long OFFSET_MASK = (1L << OFFSET_SHIFT) - 1;
  private static final int CONFIG = Vfio.VFIO_PCI_CONFIG_REGION_INDEX();
  private static final int ROM = Vfio.VFIO_PCI_ROM_REGION_INDEX();
  private static final int COUNT = Vfio.VFIO_PCI_NUM_REGIONS();
  private static final int PAGE = (int) Page.BYTES;

  /** The widest access to a ROM. */
  private static final int ROM_WIDTH = 4;

  private final Task task;
  private final VfioPciCore core;

  Regions(Task task, VfioPciCore core) {
    this.task = task;
    this.core = core;
  }

  long read(long address, long bytes, long offset) {
    return access(address, bytes, offset, false);
  }

  long write(long address, long bytes, long offset) {
    return access(address, bytes, offset, true);
  }

  /** vfio_pci_rw. */
  private long access(long address, long bytes, long offset, boolean write) {
    long index = offset >>> OFFSET_SHIFT;
    long at = offset & OFFSET_MASK;
    refuseIf(index >= COUNT, Errno.EINVAL);
    core.resume();
    if (index == CONFIG) {
      return core.config().access(address, bytes, at, write);
    }
    // The VGA region exists only in a kernel with CONFIG_VFIO_PCI_VGA.
    refuseIf(index > CONFIG || (index == ROM && write), Errno.EINVAL);
    return bar((int) index, address, bytes, at, write);
  }

  /** vfio_pci_bar_rw and vfio_pci_core_do_io_rw. */
  private long bar(int index, long address, long bytes, long at, boolean write) {
    IoResource resource = core.pci().resource(index);
    refuseIf(!resource.isPresent() || at >= resource.bytes(), Errno.EINVAL);
    long count = Math.min(bytes, resource.bytes() - at);
    // vfio_pci_core_ioread32 in a lab's patched kernel
    refuseIf(core.isPrivate(index, new BarRange(at, count)), Errno.EIO);
    refuseIf(!core.isReserved(index), Errno.EBUSY);
    BarIo io = new BarIo(index, resource);
    for (long done = 0; done < count; ) {
      long part = inUserPage(address + done, count - done);
      if (write) {
        io.write(at + done, task.user(), address + done, part);
      } else {
        io.read(at + done, task.user(), address + done, part);
      }
      done += part;
    }
    return count;
  }

  /**
   * How much to move at once: up to the end of the caller's page, because the next page may be
   * inaccessible. An access across the end of a page still counts as one.
   */
  private static long inUserPage(long address, long left) {
    long toEnd = PAGE - (address & (PAGE - 1));
    return Math.min(left, toEnd < Long.BYTES ? Long.BYTES : toEnd & -Long.BYTES);
  }

  /** Accesses to a BAR or the ROM, in the widest aligned pieces. */
  private final class BarIo {
    private final int index;
    private final boolean tests;
    private final int widest;
    private final long excludedFrom;
    private final long excludedTo;
    private final MemorySegment buffer = MemorySegment.ofArray(new byte[PAGE]);

    BarIo(int index, IoResource resource) {
      this.index = index;
      tests = resource.isMemory();
      widest = index == ROM ? ROM_WIDTH : Long.BYTES;
      if (index == ROM) {
        excludedFrom = core.pci().shape().rom().orElseThrow().byteSize();
        excludedTo = resource.bytes();
      } else if (index == core.msixBar()) {
        var table = core.pci().shape().msiX().orElseThrow();
        excludedFrom = table.tableOffset();
        excludedTo = table.tableOffset() + table.tableBytes();
      } else {
        excludedFrom = 0;
        excludedTo = 0;
      }
    }

    void read(long at, dev.iolite.mock.core.UserMemory user, long address, long count) {
      for (long done = 0; done < count; ) {
        int width = width(at + done, count - done);
        put(done, width, isExcluded(at + done) ? -1 : readOne(at + done, width));
        done += width;
      }
      user.write(address, buffer.asSlice(0, count));
    }

    void write(long at, dev.iolite.mock.core.UserMemory user, long address, long count) {
      user.read(address, buffer.asSlice(0, count));
      for (long done = 0; done < count; ) {
        int width = width(at + done, count - done);
        if (!isExcluded(at + done)) {
          requireMemory();
          core.write(index, at + done, width, get(done, width));
        }
        done += width;
      }
    }

    private boolean isExcluded(long at) {
      return at >= excludedFrom && at < excludedTo;
    }

    private int width(long at, long left) {
      long upTo = at < excludedFrom ? Math.min(left, excludedFrom - at) : left;
      int width = widest;
      while (width > upTo || at % width != 0) {
        width >>= 1;
      }
      return width;
    }

    private void requireMemory() {
      refuseIf(tests && !core.isMemoryEnabled(), Errno.EIO);
    }

    private long readOne(long at, int width) {
      requireMemory();
      return index == PciDev.ROM ? readRom(at, width) : core.read(index, at, width);
    }

    private long readRom(long at, int width) {
      long value = 0;
      MemorySegment rom = core.pci().shape().rom().orElseThrow();
      for (int i = 0; i < width; i++) {
        long here =
            at + i < rom.byteSize()
                ? Byte.toUnsignedLong(rom.get(ValueLayout.JAVA_BYTE, at + i))
                : 0xff;
        value |= here << (i * Byte.SIZE);
      }
      return value;
    }

    private void put(long at, int width, long value) {
      for (int i = 0; i < width; i++) {
        buffer.set(ValueLayout.JAVA_BYTE, at + i, (byte) (value >>> (i * Byte.SIZE)));
      }
    }

    private long get(long at, int width) {
      long value = 0;
      for (int i = 0; i < width; i++) {
        value |= Byte.toUnsignedLong(buffer.get(ValueLayout.JAVA_BYTE, at + i)) << (i * Byte.SIZE);
      }
      return value;
    }
  }

  /** vfio_pci_core_mmap, for a mapping that is known to be shared. */
  MappedObject map(MapRequest request) {
    long index = request.offset() >>> OFFSET_SHIFT;
    long start = request.offset() & OFFSET_MASK;
    refuseIf(index >= ROM || !core.canMap((int) index), Errno.EINVAL);
    core.device().calls().mapping(core.device(), (int) index, new BarRange(start, request.bytes()));
    long whole = (core.pci().resource((int) index).bytes() + Page.BYTES - 1) & -Page.BYTES;
    refuseIf(start > whole - request.bytes(), Errno.EINVAL);
    refuseIf(!core.isReserved((int) index), Errno.EBUSY);
    BarMapping mapping = new BarMapping(task, core, (int) index, start);
    BarRange mapped = new BarRange(start, request.bytes());
    return new MappedObject.DeviceRegisters(
        mapping,
        mapping,
        () -> core.isMappable((int) index, mapped),
        name -> core.mappableBars().file((int) index, name));
  }
}
