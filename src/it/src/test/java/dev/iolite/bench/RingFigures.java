package dev.iolite.bench;

import static dev.iolite.uapi.kvm.Kvm.KVM_DIRTY_GFN_F_DIRTY;
import static dev.iolite.uapi.kvm.Kvm.KVM_DIRTY_LOG_PAGE_OFFSET;

import com.sun.management.ThreadMXBean;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.Page;
import dev.iolite.kvm.DirtyRing;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.Vcpu;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmType;
import dev.iolite.mock.MockKernel;
import dev.iolite.uapi.kvm.kvm_dirty_gfn;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;

/**
 * A full dirty ring that is harvested into a bitmap; scripts/bench compares it with the same in C.
 * No guest fills it, on either side, but the program itself: KVM would do nothing else, and a
 * harvest makes no call.
 */
public final class RingFigures {
  private static final int ENTRIES = 1 << 16;
  private static final int ENTRY_BYTES = (int) kvm_dirty_gfn.sizeof();
  private static final int BYTES = ENTRIES * ENTRY_BYTES;
  private static final int ROUNDS = 400;
  private static final int SLOT = 1;

  private RingFigures() {}

  /**
   * Prints the nanoseconds that a page takes in the fastest harvest, and the fewest bytes that a
   * harvest allocated.
   */
  public static void main(String[] arguments) {
    long[] bitmap = new long[ENTRIES / Long.SIZE];
    double best = Double.MAX_VALUE;
    long allocated = Long.MAX_VALUE;
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (MockKernel kernel = MockKernel.builder().build();
        Kvm kvm = Kvm.open(kernel);
        Vm vm = kvm.createVm(VmType.DEFAULT)) {
      vm.dirtyLog().enableRings(BYTES);
      Vcpu vcpu = vm.createVcpu(0);
      try (DirtyRing ring = vcpu.dirtyRing();
          Mapping entries =
              Mapping.of(
                  vcpu.fd(),
                  KVM_DIRTY_LOG_PAGE_OFFSET() * Page.BYTES,
                  BYTES,
                  Libc.PROT_READ() | Libc.PROT_WRITE())) {
        DirtyRing.Pages pages =
            (slot, page) -> {
              if (slot == SLOT) {
                bitmap[(int) (page >>> 6)] |= 1L << page;
              }
            };
        for (int i = 0; i < ROUNDS; i++) {
          fill(entries.segment());
          long before = threads.getCurrentThreadAllocatedBytes();
          long start = System.nanoTime();
          int count = ring.harvest(pages);
          best = Math.min(best, (double) (System.nanoTime() - start) / count);
          allocated = Math.min(allocated, threads.getCurrentThreadAllocatedBytes() - before);
        }
      }
    }
    System.out.printf("%.4f %d%n", bitmap[ENTRIES / Long.SIZE - 1] == -1 ? best : -1, allocated);
  }

  private static void fill(MemorySegment entries) {
    for (int page = 0; page < ENTRIES; page++) {
      long at = (long) page * ENTRY_BYTES;
      entries.set(ValueLayout.JAVA_INT, at + kvm_dirty_gfn.slot$offset(), SLOT);
      entries.set(ValueLayout.JAVA_LONG, at + kvm_dirty_gfn.offset$offset(), page);
      entries.set(
          ValueLayout.JAVA_INT, at + kvm_dirty_gfn.flags$offset(), (int) KVM_DIRTY_GFN_F_DIRTY());
    }
  }
}
