package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Alu;
import dev.iolite.mock.core.EventFdFile;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_ioeventfd;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Guest writes that signal an eventfd instead of causing an exit; virt/kvm/eventfd.c. */
final class Ioeventfds {
  private static final int DATAMATCH = 1 << Kvm.kvm_ioeventfd_flag_nr_datamatch();
  private static final int PIO = 1 << Kvm.kvm_ioeventfd_flag_nr_pio();
  private static final int DEASSIGN = 1 << Kvm.kvm_ioeventfd_flag_nr_deassign();
  private static final int VIRTIO_CCW = 1 << Kvm.kvm_ioeventfd_flag_nr_virtio_ccw_notify();

  private enum Bus {
    MMIO,
    PIO,
    VIRTIO_CCW
  }

  private record Entry(
      Bus bus, long address, int length, boolean any, long match, EventFdFile eventfd) {
    /** virt/kvm/eventfd.c:ioeventfd_in_range. */
    boolean takes(Bus onBus, long at, int size, long value) {
      return bus == onBus
          && address == at
          && (length == 0 || length == size)
          && (any || (match & Alu.mask(size)) == (value & Alu.mask(size)));
    }

    /** virt/kvm/eventfd.c:ioeventfd_check_collision. */
    boolean collidesWith(Entry other) {
      return bus == other.bus
          && address == other.address
          && (length == 0
              || other.length == 0
              || (length == other.length && (any || other.any || match == other.match)));
    }
  }

  private final KvmVm vm;
  private final List<Entry> entries = new ArrayList<>();

  Ioeventfds(KvmVm vm) {
    this.vm = vm;
  }

  /** virt/kvm/eventfd.c:kvm_ioeventfd. */
  void set(MemorySegment argument) {
    int flags = kvm_ioeventfd.flags(argument);
    if ((flags & DEASSIGN) != 0) {
      remove(entry(argument));
      return;
    }
    int length = kvm_ioeventfd.len(argument);
    long address = kvm_ioeventfd.addr(argument);
    refuseIf(length != 0 && length != 1 && length != 2 && length != 4 && length != 8, Errno.EINVAL);
    refuseIf(Long.compareUnsigned(address + length, address) < 0, Errno.EINVAL);
    refuseIf((flags & ~(DATAMATCH | PIO | DEASSIGN | VIRTIO_CCW)) != 0, Errno.EINVAL);
    refuseIf(length == 0 && (flags & DATAMATCH) != 0, Errno.EINVAL);
    Entry entry = entry(argument);
    for (Entry other : entries) {
      refuseIf(entry.collidesWith(other), Errno.EEXIST);
    }
    entry.eventfd.get();
    entries.add(entry);
  }

  private Entry entry(MemorySegment argument) {
    int flags = kvm_ioeventfd.flags(argument);
    EventFdFile eventfd =
        vm.task()
            .descriptors()
            .get(kvm_ioeventfd.fd(argument), EventFdFile.class)
            .orElseThrow(() -> refused(Errno.EINVAL));
    boolean any = (flags & DATAMATCH) == 0;
    return new Entry(
        bus(flags),
        kvm_ioeventfd.addr(argument),
        kvm_ioeventfd.len(argument),
        any,
        any ? 0 : kvm_ioeventfd.datamatch(argument),
        eventfd);
  }

  private static Bus bus(int flags) {
    if ((flags & PIO) != 0) {
      return Bus.PIO;
    }
    return (flags & VIRTIO_CCW) != 0 ? Bus.VIRTIO_CCW : Bus.MMIO;
  }

  private void remove(Entry entry) {
    refuseIf(!entries.remove(entry), Errno.ENOENT);
    entry.eventfd.put();
  }

  /** Signals the eventfd of a write to an address without a slot; returns whether there is one. */
  boolean signalMmio(long gpa, int size, long value) {
    return signal(Bus.MMIO, gpa, size, value);
  }

  /** Signals the eventfd of a write to a port; returns whether there is one. */
  boolean signalPort(int port, int size, long value) {
    return signal(Bus.PIO, port, size, value);
  }

  private boolean signal(Bus bus, long address, int size, long value) {
    for (int i = 0; i < entries.size(); i++) {
      if (entries.get(i).takes(bus, address, size, value)) {
        entries.get(i).eventfd.signal();
        return true;
      }
    }
    return false;
  }

  void release() {
    entries.forEach(entry -> entry.eventfd.put());
    entries.clear();
  }
}
