package dev.iolite.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Page;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_coalesced_mmio;
import dev.iolite.uapi.kvm.kvm_coalesced_mmio_ring;
import dev.iolite.uapi.kvm.kvm_dirty_gfn;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The rings that KVM fills while somebody else empties them; a thread is KVM. */
@Timeout(120)
class RingsTest {
  private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
  private static final int ENTRIES = (int) (Page.BYTES / kvm_dirty_gfn.sizeof());
  private static final int WRITES = 50_000;
  private static final int FD = 100;

  private final Queue<Integer> resets = new ArrayDeque<>();
  private MemorySegment mapped = MemorySegment.NULL;
  private final Kernel kernel =
      new ForwardingKernel(new HostKernel()) {
        @Override
        public int ioctl(int fd, long request, long argument) {
          assertThat(request).isEqualTo(KvmIoctls.KVM_RESET_DIRTY_RINGS.number());
          return resets.remove();
        }

        @Override
        public long mmap(long address, long bytes, int prot, int flags, int fd, long offset) {
          long at = super.mmap(0, bytes, prot, Libc.MAP_SHARED() | Libc.MAP_ANONYMOUS(), -1, 0);
          mapped = MemorySegment.ofAddress(at).reinterpret(bytes);
          return at;
        }
      };

  private int reset(Integer... results) {
    resets.addAll(List.of(results));
    Vm vm = new Vm(Fd.borrowed(kernel, FdKind.KVM_VM, FD, "VM"), VmType.DEFAULT, (int) Page.BYTES);
    int reset = vm.dirtyLog().resetRings();
    assertThat(resets).as("calls that were not made").isEmpty();
    return reset;
  }

  /** virt/kvm/kvm_main.c:kvm_vm_ioctl_reset_dirty_pages: the rest is left, and no error is said. */
  @Test
  void whatASignalLeavesInTheRingsIsResetNext() {
    assertThat(reset(3, 2, 0, 0)).isEqualTo(5);
    assertThat(reset(0, 4, 0, 0)).as("it was pending when the call was made").isEqualTo(4);
    assertThat(reset(3, 0, 2, 0, 0)).isEqualTo(5);
    assertThat(reset(0, 0)).isZero();
  }

  @Test
  void aPageIsReadFromTheRingAfterItsFlag() throws Exception {
    try (DirtyRing ring =
        DirtyRing.of(Fd.borrowed(kernel, FdKind.KVM_VCPU, FD, "vCPU"), (int) Page.BYTES, 0)) {
      FutureTask<Boolean> kvm = kvm(this::writeDirtyPages);
      long[] next = {0};
      while (next[0] < WRITES) {
        ring.harvest((slot, page) -> {
          assertThat(page).isEqualTo(next[0]++);
          assertThat(slot).isEqualTo((int) (page % 7));
        });
        Thread.onSpinWait();
      }
      assertThat(kvm.get()).isTrue();
    }
  }

  @Test
  void whatAnotherHasHarvestedIsNotTakenAgain() {
    // Documentation/virt/kvm/api.rst: the flags of a harvested entry are 1X, whatever X is
    try (DirtyRing ring =
        DirtyRing.of(Fd.borrowed(kernel, FdKind.KVM_VCPU, FD, "vCPU"), (int) Page.BYTES, 0)) {
      kvm_dirty_gfn.flags(
          mapped.asSlice(0, kvm_dirty_gfn.sizeof()),
          (int) (Kvm.KVM_DIRTY_GFN_F_DIRTY() | Kvm.KVM_DIRTY_GFN_F_RESET()));
      assertThat(ring.harvest((_, _) -> {})).isZero();
    }
  }

  @Test
  void aPageThatNobodyTookComesAgain() {
    try (DirtyRing ring =
        DirtyRing.of(Fd.borrowed(kernel, FdKind.KVM_VCPU, FD, "vCPU"), (int) Page.BYTES, 0)) {
      for (int i = 0; i < 5; i++) {
        MemorySegment entry = mapped.asSlice(i * kvm_dirty_gfn.sizeof(), kvm_dirty_gfn.sizeof());
        kvm_dirty_gfn.offset(entry, i);
        kvm_dirty_gfn.flags(entry, (int) Kvm.KVM_DIRTY_GFN_F_DIRTY());
      }
      DirtyRing.Pages full =
          (_, page) -> {
            if (page == 2) {
              throw new IllegalStateException("no room");
            }
          };
      assertThatThrownBy(() -> ring.harvest(full)).hasMessage("no room");
      for (int i = 0; i < 5; i++) {
        int flags = (int) INT.getAcquire(mapped, i * kvm_dirty_gfn.sizeof());
        assertThat((flags & Kvm.KVM_DIRTY_GFN_F_RESET()) != 0).as("entry %d", i).isEqualTo(i < 2);
      }
      List<Long> again = new ArrayList<>();
      assertThat(ring.harvest((_, page) -> again.add(page))).isEqualTo(3);
      assertThat(again).containsExactly(2L, 3L, 4L);
    }
  }

  private static FutureTask<Boolean> kvm(Runnable work) {
    FutureTask<Boolean> kvm = new FutureTask<>(work, true);
    Thread.ofPlatform().daemon().name("KVM").start(kvm);
    return kvm;
  }

  /** virt/kvm/dirty_ring.c:kvm_dirty_ring_push; what was harvested is reset at once. */
  private void writeDirtyPages() {
    for (long i = 0; i < WRITES; i++) {
      long at = i % ENTRIES * kvm_dirty_gfn.sizeof();
      while (((int) INT.getAcquire(mapped, at) & Kvm.KVM_DIRTY_GFN_F_DIRTY()) != 0
          && ((int) INT.getAcquire(mapped, at) & Kvm.KVM_DIRTY_GFN_F_RESET()) == 0) {
        Thread.onSpinWait();
      }
      MemorySegment entry = mapped.asSlice(at, kvm_dirty_gfn.sizeof());
      kvm_dirty_gfn.slot(entry, (int) (i % 7));
      kvm_dirty_gfn.offset(entry, i);
      INT.setRelease(mapped, at, (int) Kvm.KVM_DIRTY_GFN_F_DIRTY());
    }
  }

  @Test
  void aWriteIsReadFromTheRingAfterItsIndex() throws Exception {
    try (Arena arena = Arena.ofShared()) {
      mapped = arena.allocate(Page.BYTES, Long.BYTES);
      CoalescedRing ring = new CoalescedRing(mapped);
      FutureTask<Boolean> kvm = kvm(this::coalesceWrites);
      long[] next = {0};
      while (next[0] < WRITES) {
        ring.drain((isPort, address, bytes, value) -> {
          assertThat(value).isEqualTo(next[0]++);
          assertThat(address).isEqualTo(~value);
        });
        Thread.onSpinWait();
      }
      assertThat(kvm.get()).isTrue();
    }
  }

  /** virt/kvm/coalesced_mmio.c:coalesced_mmio_write. */
  private void coalesceWrites() {
    long head = kvm_coalesced_mmio_ring.sizeof();
    int entries = (int) ((Page.BYTES - head) / kvm_coalesced_mmio.sizeof());
    int last = 0;
    for (long i = 0; i < WRITES; i++) {
      int after = (last + 1) % entries;
      while ((int) INT.getAcquire(mapped, kvm_coalesced_mmio_ring.first$offset()) == after) {
        Thread.onSpinWait();
      }
      MemorySegment entry =
          mapped.asSlice(head + last * kvm_coalesced_mmio.sizeof(), kvm_coalesced_mmio.sizeof());
      kvm_coalesced_mmio.phys_addr(entry, ~i);
      kvm_coalesced_mmio.len(entry, Long.BYTES);
      MemorySegment.copy(
          MemorySegment.ofArray(new long[] {i}),
          0,
          entry,
          kvm_coalesced_mmio.data$offset(),
          Long.BYTES);
      last = after;
      INT.setRelease(mapped, kvm_coalesced_mmio_ring.last$offset(), last);
    }
  }
}
