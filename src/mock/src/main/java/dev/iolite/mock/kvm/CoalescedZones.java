package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.uapi.kvm.kvm_coalesced_mmio;
import dev.iolite.uapi.kvm.kvm_coalesced_mmio_ring;
import dev.iolite.uapi.kvm.kvm_coalesced_mmio_zone;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * Ranges whose writes go into a ring instead of leaving the guest; virt/kvm/coalesced_mmio.c. In
 * the kernel, all vCPUs of a VM have the same ring; in the model, each has its own.
 */
final class CoalescedZones {
  private static final VarHandle INDEX = ValueLayout.JAVA_INT.varHandle();
  private static final int MOST =
      (int) ((Page.BYTES - kvm_coalesced_mmio_ring.sizeof()) / kvm_coalesced_mmio.sizeof());

  /** include/linux/kvm_host.h: NR_IOBUS_DEVS. */
  private static final int MOST_ZONES = 1000;

  private record Zone(boolean isPort, long address, long bytes) {
    /** virt/kvm/coalesced_mmio.c:coalesced_mmio_in_range. */
    boolean contains(long at, long size) {
      return at + size >= at && at >= address && at + size <= address + bytes;
    }
  }

  private final List<Zone> zones = new ArrayList<>();

  /** virt/kvm/coalesced_mmio.c:kvm_vm_ioctl_register_coalesced_mmio. */
  void register(MemorySegment zone) {
    Zone made = zone(zone);
    long ofItsBus = zones.stream().filter(other -> other.isPort == made.isPort).count();
    refuseIf(ofItsBus >= MOST_ZONES, Errno.ENOSPC);
    zones.add(made);
  }

  /** virt/kvm/coalesced_mmio.c:kvm_vm_ioctl_unregister_coalesced_mmio. */
  void unregister(MemorySegment zone) {
    Zone given = zone(zone);
    zones.removeIf(
        other -> other.isPort == given.isPort && other.contains(given.address, given.bytes));
  }

  private static Zone zone(MemorySegment zone) {
    int pio = kvm_coalesced_mmio_zone.pio(zone);
    refuseIf(pio != 0 && pio != 1, Errno.EINVAL);
    return new Zone(
        pio == 1,
        kvm_coalesced_mmio_zone.addr(zone),
        Integer.toUnsignedLong(kvm_coalesced_mmio_zone.size(zone)));
  }

  /**
   * Puts a write into the ring, if it is in a zone and there is room;
   * virt/kvm/coalesced_mmio.c:coalesced_mmio_write.
   */
  boolean take(KvmRun run, boolean isPort, long address, int size, long value) {
    if (zones.stream().noneMatch(zone -> zone.isPort == isPort && zone.contains(address, size))) {
      return false;
    }
    MemorySegment ring = run.coalescedRing();
    int last = kvm_coalesced_mmio_ring.last(ring);
    if (Integer.compareUnsigned(last, MOST) >= 0
        || (last + 1) % MOST
            == (int) INDEX.getAcquire(ring, kvm_coalesced_mmio_ring.first$offset())) {
      return false;
    }
    MemorySegment entry =
        kvm_coalesced_mmio.asSlice(ring.asSlice(kvm_coalesced_mmio_ring.sizeof()), last);
    kvm_coalesced_mmio.phys_addr(entry, address);
    kvm_coalesced_mmio.len(entry, size);
    kvm_coalesced_mmio.pio(entry, isPort ? 1 : 0);
    KvmRun.store(kvm_coalesced_mmio.data(entry), 0, size, value);
    // Whoever drains it, without the model's lock, sees the entry when it sees the index.
    INDEX.setRelease(ring, kvm_coalesced_mmio_ring.last$offset(), (last + 1) % MOST);
    return true;
  }
}
