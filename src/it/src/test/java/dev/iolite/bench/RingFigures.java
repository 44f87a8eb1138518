package dev.iolite.bench;

import static dev.iolite.uapi.kvm.Kvm.KVM_DIRTY_GFN_F_DIRTY;
import static dev.iolite.uapi.kvm.Kvm.KVM_DIRTY_LOG_PAGE_OFFSET;

import com.sun.management.ThreadMXBean;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Mapping;
import dev.iolite.kvm.DirtyRing;
import dev.iolite.kvm.Exit;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.MemorySlot;
import dev.iolite.kvm.SlotFlag;
import dev.iolite.kvm.Vcpu;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmType;
import dev.iolite.uapi.kvm.kvm_dirty_gfn;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;

/**
 * A dirty ring that is harvested into a bitmap each time it is full, while a guest writes 3 GiB;
 * scripts/bench compares it with the same in C.
 */
public final class RingFigures {
  private static final int RING_BYTES = 1 << 20;
  private static final int ROUNDS = 12;
  private static final int DIRTY = (int) KVM_DIRTY_GFN_F_DIRTY();

  /** So many that the compiler takes the method for one that is often called. */
  private static final int WARM_UPS = 1024;

  private static final int WARM_UP_BYTES = 512 * (int) kvm_dirty_gfn.sizeof();
  private static final long PAGE = 4096;
  private static final long CODE_GPA = PAGE;
  private static final long GPA = 0x1000_0000;
  private static final long BYTES = 256 << 20;
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  /**
   * xor ebx, ebx; next: mov [ebx + 0x10000000], al; add ebx, 0x1000; and ebx, 0xfffffff; jmp next.
   */
  private static final int[] CODE = {
    0x66, 0x31, 0xdb, 0x67, 0x88, 0x83, 0x00, 0x00, 0x00, 0x10, 0x66, 0x81, 0xc3, 0x00, 0x10, 0x00,
    0x00, 0x66, 0x81, 0xe3, 0xff, 0xff, 0xff, 0x0f, 0xeb, 0xe9
  };

  private RingFigures() {}

  /**
   * Prints the nanoseconds that a page takes in the fastest harvest of a full ring, and the fewest
   * bytes that a harvest allocated.
   */
  public static void main(String[] arguments) {
    Kernel kernel = new HostKernel();
    long[] bitmap = new long[(int) (BYTES / PAGE / Long.SIZE)];
    double best = Double.MAX_VALUE;
    long allocated = Long.MAX_VALUE;
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (CloseStack open = new CloseStack()) {
      Kvm kvm = open.push(Kvm.open(kernel));
      Mapping code = open.push(Mapping.anonymous(kernel, PAGE));
      MemorySegment instructions = code.segment();
      for (int i = 0; i < CODE.length; i++) {
        instructions.set(ValueLayout.JAVA_BYTE, i, (byte) CODE[i]);
      }
      Mapping ram = open.push(Mapping.anonymous(kernel, BYTES));
      Vm vm = open.push(kvm.createVm(VmType.DEFAULT));
      vm.dirtyLog().enableRings(RING_BYTES);
      MemorySlot slot = vm.addSlot(GPA, BYTES, ram.address(), SlotFlag.LOG_DIRTY_PAGES);
      Vcpu vcpu = vm.createVcpu(0, vm.addSlot(CODE_GPA, PAGE, code.address()));
      vcpu.enterRealMode(CODE_GPA);
      int number = slot.number();
      DirtyRing.Pages pages =
          (written, page) -> {
            if (written == number) {
              bitmap[(int) (page / Long.SIZE)] |= 1L << page;
            }
          };
      DirtyRing ring = open.push(vcpu.dirtyRing());
      warmUp(vcpu, ring, number, pages);
      Arrays.fill(bitmap, 0);
      for (int i = 0; i < ROUNDS; i++) {
        if (!(vcpu.run(PATIENCE) instanceof Exit.DirtyRingFull)) {
          throw new IllegalStateException("another exit");
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        long start = System.nanoTime();
        int count = ring.harvest(pages);
        best = Math.min(best, (double) (System.nanoTime() - start) / count);
        allocated = Math.min(allocated, threads.getCurrentThreadAllocatedBytes() - before);
        vm.dirtyLog().resetRings();
      }
    }
    System.out.printf("%.4f %d%n", bitmap[0] == 0 ? -1 : best, allocated);
  }

  /** Harvests entries that are not KVM's, and leaves the ring as it was: empty. */
  private static void warmUp(Vcpu vcpu, DirtyRing ring, int slot, DirtyRing.Pages pages) {
    try (Mapping mapping =
        Mapping.of(
            vcpu.fd(),
            KVM_DIRTY_LOG_PAGE_OFFSET() * PAGE,
            RING_BYTES,
            Libc.PROT_READ() | Libc.PROT_WRITE())) {
      MemorySegment entries = mapping.segment();
      for (int i = 0; i < WARM_UPS; i++) {
        mark(entries.asSlice((long) i * WARM_UP_BYTES % RING_BYTES, WARM_UP_BYTES), slot, DIRTY);
        ring.harvest(pages);
      }
      mark(entries, slot, 0);
    }
  }

  private static void mark(MemorySegment entries, int slot, int flags) {
    for (long at = 0; at < entries.byteSize(); at += kvm_dirty_gfn.sizeof()) {
      entries.set(ValueLayout.JAVA_INT, at + kvm_dirty_gfn.slot$offset(), slot);
      entries.set(ValueLayout.JAVA_INT, at + kvm_dirty_gfn.flags$offset(), flags);
    }
  }
}
