package dev.iolite.contract;

import static dev.iolite.uapi.catalog.KvmIoctls.KVM_REGISTER_COALESCED_MMIO;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_UNREGISTER_COALESCED_MMIO;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.iolite.kernel.Errno;
import dev.iolite.kvm.Capability;
import dev.iolite.kvm.CoalescedRing;
import dev.iolite.kvm.DirtyRing;
import dev.iolite.kvm.Exit;
import dev.iolite.kvm.MemorySlot;
import dev.iolite.kvm.SlotFlag;
import dev.iolite.kvm.Statistic;
import dev.iolite.kvm.Statistics;
import dev.iolite.kvm.Vcpu;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmDirtyLog;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_coalesced_mmio_zone;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Slots that change, and what KVM records of a guest. */
abstract class KvmTrackingContract extends KvmTypedContract {
  private static final long DATA = 0x4000;
  private static final int RING = 1 << 16;

  /** mov al, 0x5a; mov [0x4000], al; mov [0x6000], al; hlt, and again from the first store on. */
  private static final int[] WRITES = {
    0xb0, 0x5a, 0xa2, 0x00, 0x40, 0xa2, 0x00, 0x60, 0xf4, 0xeb, 0xf7
  };

  KvmTrackingContract(Backend backend) {
    super(backend);
  }

  private void untilHlt(Vcpu vcpu) {
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.Hlt.class);
  }

  @Test
  void aSlotMovesWithItsMemory() {
    // kvm_main.c:kvm_set_memory_region: KVM_MR_MOVE
    Vm vm = typedVm();
    MemorySlot slot = slot(vm, 0x8000, PAGE);
    slot(vm, 0x9000, PAGE);
    refused(Errno.EEXIST, () -> slot.moveTo(0x9000));
    refused(Errno.EINVAL, () -> slot.moveTo(0x8800));
    assertThat(slot.gpa()).isEqualTo(0x8000);
    slot.moveTo(DATA);
    assertThat(slot.contains(DATA)).isTrue();
    slot(vm, 0x8000, PAGE);
    slot(vm, 0x6000, PAGE);
    untilHlt(running(vm, WRITES));
    assertThat(at(slot.hostAddress(), 1).get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 0x5a);
    slot.close();
    assertThatThrownBy(() -> slot.moveTo(DATA)).isInstanceOf(IllegalStateException.class);
  }

  private byte[] dirty(Vm vm, MemorySlot slot) {
    MemorySegment bitmap = zeros(VmDirtyLog.bitmapBytes(slot));
    vm.dirtyLog().get(slot, bitmap);
    return bitmap.toArray(ValueLayout.JAVA_BYTE);
  }

  @Test
  void aSlotStartsAndStopsLogging() {
    // kvm_main.c:kvm_set_memory_region: KVM_MR_FLAGS_ONLY; kvm_get_dirty_log_protect
    Vm vm = typedVm();
    MemorySlot slot = slot(vm, DATA, 3 * PAGE);
    refused(Errno.ENOENT, () -> dirty(vm, slot));
    slot.logDirtyPages(true);
    assertThat(slot.flags()).containsExactly(SlotFlag.LOG_DIRTY_PAGES);
    Vcpu vcpu = running(vm, WRITES);
    assertThat(dirty(vm, slot)[0]).isZero();
    untilHlt(vcpu);
    assertThat(dirty(vm, slot)[0]).isEqualTo((byte) 0b101);
    assertThat(dirty(vm, slot)[0]).as("it starts over").isZero();
    untilHlt(vcpu);
    assertThat(dirty(vm, slot)[0]).isEqualTo((byte) 0b101);
    slot.logDirtyPages(false);
    refused(Errno.ENOENT, () -> dirty(vm, slot));
  }

  @Test
  void pagesAreCleanOnlyWhenTheyAreCleared() {
    // kvm_main.c:kvm_vm_ioctl_enable_cap_generic, kvm_clear_dirty_log_protect
    Vm vm = typedVm();
    vm.dirtyLog().protectManually(false);
    MemorySlot slot = slot(vm, DATA, 3 * PAGE);
    slot.logDirtyPages(true);
    Vcpu vcpu = running(vm, WRITES);
    untilHlt(vcpu);
    assertThat(dirty(vm, slot)[0]).isEqualTo((byte) 0b101);
    assertThat(dirty(vm, slot)[0]).as("it does not start over").isEqualTo((byte) 0b101);
    MemorySegment first = zeros(8);
    first.set(ValueLayout.JAVA_BYTE, 0, (byte) 0b001);
    refused(Errno.EINVAL, () -> vm.dirtyLog().clear(slot, 1, 2, first));
    refused(Errno.EINVAL, () -> vm.dirtyLog().clear(slot, 0, 4, first));
    vm.dirtyLog().clear(slot, 0, 3, first);
    assertThat(dirty(vm, slot)[0]).isEqualTo((byte) 0b100);
    untilHlt(vcpu);
    assertThat(dirty(vm, slot)[0]).isEqualTo((byte) 0b101);
  }

  @Test
  void allPagesAreDirtyAtFirstIfThatIsAskedFor() {
    // kvm_main.c:kvm_set_memory_region, kvm_dirty_log_manual_protect_and_init_set
    Vm vm = typedVm();
    vm.dirtyLog().protectManually(true);
    MemorySlot slot = slot(vm, DATA, 3 * PAGE);
    slot.logDirtyPages(true);
    assertThat(dirty(vm, slot)[0]).isEqualTo((byte) 0b111);
  }

  @Test
  void theRingsOfDirtyPagesHaveASizeThatIsPossible() {
    // kvm_main.c:kvm_vm_ioctl_enable_dirty_log_ring
    Vm vm = typedVm();
    assumeOffered(vm, Capability.DIRTY_LOG_RING);
    refused(Errno.EINVAL, () -> vm.dirtyLog().enableRings(0));
    refused(Errno.EINVAL, () -> vm.dirtyLog().enableRings(3 << 12));
    refused(Errno.EINVAL, () -> vm.dirtyLog().enableRings(1 << 11));
    refused(Errno.E2BIG, () -> vm.dirtyLog().enableRings(1 << 30));
    refused(Errno.EINVAL, () -> vm.dirtyLog().resetRings());
    Vcpu early = vm.createVcpu(0);
    refused(Errno.EINVAL, () -> vm.dirtyLog().enableRings(RING));
    assertThatThrownBy(early::dirtyRing).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void writtenPagesAreInTheRingUntilItIsHarvestedAndReset() {
    // dirty_ring.c:kvm_dirty_ring_push, kvm_dirty_ring_reset
    Vm vm = typedVm();
    assumeOffered(vm, Capability.DIRTY_LOG_RING);
    vm.dirtyLog().enableRings(RING);
    refused(Errno.EINVAL, () -> vm.dirtyLog().enableRings(RING));
    MemorySlot slot = slot(vm, DATA, 3 * PAGE);
    slot.logDirtyPages(true);
    Vcpu vcpu = running(vm, WRITES);
    refused(Errno.ENXIO, () -> dirty(vm, slot));
    DirtyRing ring = closed(vcpu.dirtyRing());
    untilHlt(vcpu);
    List<String> pages = new ArrayList<>();
    DirtyRing.Pages list = (number, page) -> pages.add(number + ":" + page);
    assertThat(ring.harvest(list)).isEqualTo(2);
    assertThat(pages).containsExactly(slot.number() + ":0", slot.number() + ":2");
    assertThat(ring.harvest(list)).isZero();
    untilHlt(vcpu);
    // Where KVM emulates the writes, it records each of them, protected page or not.
    int again = backend.runsRealMode() ? 0 : 2;
    assertThat(ring.harvest(list)).as("pages written before they are reset").isEqualTo(again);
    assertThat(vm.dirtyLog().resetRings()).isEqualTo(2 + again);
    assertThat(vm.dirtyLog().resetRings()).isZero();
    untilHlt(vcpu);
    assertThat(ring.harvest(list)).isEqualTo(2);
  }

  @Test
  void aRingIsMappedSharedAndNotForCode() {
    // kvm_main.c:kvm_vcpu_mmap
    Vm vm = typedVm();
    assumeOffered(vm, Capability.DIRTY_LOG_RING);
    vm.dirtyLog().enableRings(RING);
    Vcpu vcpu = typedVcpu(vm);
    int read = Libc.PROT_READ();
    fails(Errno.EINVAL, mapRing(vcpu, read, Libc.MAP_PRIVATE()));
    fails(Errno.EPERM, mapRing(vcpu, read | Libc.PROT_EXEC(), Libc.MAP_SHARED()));
    long mapped = mapRing(vcpu, read, Libc.MAP_SHARED());
    assertThat(mapped).isPositive();
    succeeds(kernel.munmap(mapped, RING));
  }

  private long mapRing(Vcpu vcpu, int protection, int flags) {
    long offset = Kvm.KVM_DIRTY_LOG_PAGE_OFFSET() * PAGE;
    return kernel.mmap(0, RING, protection, flags, vcpu.fd().number(), offset);
  }

  @Test
  void aRingThatIsMappedAgainGoesOnWhereItWas() {
    // dirty_ring.c:kvm_dirty_ring_push: dirty_index, reset_index
    Vm vm = typedVm();
    assumeOffered(vm, Capability.DIRTY_LOG_RING);
    vm.dirtyLog().enableRings(RING);
    slot(vm, DATA, 3 * PAGE).logDirtyPages(true);
    Vcpu vcpu = running(vm, WRITES);
    untilHlt(vcpu);
    try (DirtyRing first = vcpu.dirtyRing()) {
      assertThatThrownBy(vcpu::dirtyRing)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("mapped already");
      assertThat(first.harvest((_, _) -> {})).isEqualTo(2);
    }
    assertThat(vm.dirtyLog().resetRings()).isEqualTo(2);
    untilHlt(vcpu);
    List<Long> pages = new ArrayList<>();
    assertThat(closed(vcpu.dirtyRing()).harvest((_, page) -> pages.add(page))).isEqualTo(2);
    assertThat(pages).containsExactly(0L, 2L);
  }

  /** mov ebx, 0x100000; mov [ebx], al; add ebx, 0x1000; jmp to the second. */
  private static final int[] WRITES_PAGES = {
    0x66, 0xbb, 0x00, 0x00, 0x10, 0x00, 0x67, 0x88, 0x03, 0x66, 0x81, 0xc3, 0x00, 0x10, 0x00, 0x00,
    0xeb, 0xf4
  };

  @Test
  void aGuestDoesNotRunWhileItsRingIsFull() {
    // dirty_ring.c:kvm_dirty_ring_check_request, KVM_DIRTY_RING_RSVD_ENTRIES
    Vm vm = typedVm();
    assumeOffered(vm, Capability.DIRTY_LOG_RING);
    assumeTrue(
        backend.runsRealMode(),
        () -> "the KVM of " + backend.name() + " emulates on without a look at the ring");
    vm.dirtyLog().enableRings((int) PAGE);
    MemorySlot slot = slot(vm, 1 << 20, 1024 * PAGE);
    slot.logDirtyPages(true);
    Vcpu vcpu = running(vm, WRITES_PAGES);
    DirtyRing ring = closed(vcpu.dirtyRing());
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.DirtyRingFull.class);
    assertThat(vcpu.run(PATIENCE))
        .as("nothing was harvested")
        .isInstanceOf(Exit.DirtyRingFull.class);
    List<Long> pages = new ArrayList<>();
    int entries = (int) (PAGE / 16);
    assertThat(ring.harvest((_, page) -> pages.add(page))).isBetween(entries - 64, entries);
    assertThat(pages.getFirst()).isZero();
    assertThat(vcpu.run(PATIENCE)).as("nothing was reset").isInstanceOf(Exit.DirtyRingFull.class);
    assertThat(vm.dirtyLog().resetRings()).isEqualTo(pages.size());
    long next = pages.size();
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.DirtyRingFull.class);
    ring.harvest((_, page) -> pages.add(page));
    // A processor records a page before it writes it, so the last write may come once more.
    assertThat(pages.get((int) next)).as("the ring goes on").isBetween(next - 1, next);
  }

  /** mov al, 0x11; out 0x80, al; mov [0x9000], al; mov ax, 0x2233; out 0x81, ax; hlt; jmp. */
  private static final int[] WRITES_OUT = {
    0xb0, 0x11, 0xe6, 0x80, 0xa2, 0x00, 0x90, 0xb8, 0x33, 0x22, 0xe7, 0x81, 0xf4, 0xeb, 0xf1
  };

  @Test
  void coalescedWritesAreReadInTheirOrder() {
    // coalesced_mmio.c:coalesced_mmio_write
    Vm vm = typedVm();
    assumeOffered(vm, Capability.COALESCED_PIO);
    vm.coalescedIo().addPorts(0x80, 4);
    vm.coalescedIo().addMemory(0x9000, 0x100);
    Vcpu vcpu = running(vm, WRITES_OUT);
    untilHlt(vcpu);
    List<String> writes = new ArrayList<>();
    CoalescedRing ring = vcpu.coalescedRing();
    CoalescedRing.Writes list =
        (isPort, address, bytes, value) ->
            writes.add("%s %x %d %x".formatted(isPort, address, bytes, value));
    assertThat(ring.drain(list)).isEqualTo(3);
    assertThat(writes).containsExactly("true 80 1 11", "false 9000 1 11", "true 81 2 2233");
    assertThat(ring.drain(list)).isZero();
    vm.coalescedIo().removeMemory(0x9000, 0x100);
    vm.coalescedIo().removeMemory(0x9000, 0x100);
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.MmioWrite.class);
    untilHlt(vcpu);
    vm.coalescedIo().removePorts(0x80, 4);
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.IoOut.class);
    assertThat(ring.drain(list)).as("what was written before").isEqualTo(2);
  }

  @Test
  void theRingOfCoalescedWritesIsNeverFull() {
    // coalesced_mmio.c:coalesced_mmio_write: what has no room is an exit; jmp to the out
    Vm vm = typedVm();
    assumeOffered(vm, Capability.COALESCED_PIO);
    vm.coalescedIo().addPorts(0x80, 1);
    Vcpu vcpu = running(vm, 0xe6, 0x80, 0xeb, 0xfc);
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.IoOut.class);
    assertThat(vcpu.coalescedRing().drain((_, _, _, _) -> {})).isEqualTo(169);
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.IoOut.class);
    assertThat(vcpu.coalescedRing().drain((_, _, _, _) -> {})).isEqualTo(169);
  }

  @Test
  void aCoalescedRangeIsOfMemoryOrOfPorts() {
    // coalesced_mmio.c:kvm_vm_ioctl_register_coalesced_mmio
    Vm vm = typedVm();
    MemorySegment zone = struct(kvm_coalesced_mmio_zone.layout());
    kvm_coalesced_mmio_zone.size(zone, 4);
    kvm_coalesced_mmio_zone.pio(zone, 2);
    fails(Errno.EINVAL, raw(vm, KVM_REGISTER_COALESCED_MMIO, zone));
    fails(Errno.EINVAL, raw(vm, KVM_UNREGISTER_COALESCED_MMIO, zone));
  }

  @Test
  void statisticsHaveTheirKernelsNames() {
    // binary_stats.c:kvm_stats_read, x86.c:kvm_vcpu_stats_desc
    Vm vm = typedVm();
    Vcpu vcpu = running(vm, 0xf4);
    Statistics ofVm = closed(vm.statistics());
    Statistics ofVcpu = closed(vcpu.statistics());
    assertThat(ofVm.id()).startsWith("kvm-");
    assertThat(ofVcpu.id()).endsWith("/vcpu-0");
    assertThat(ofVm.all()).extracting(Statistic::name).contains("remote_tlb_flush", "pages_4k");
    Statistic waited = ofVcpu.of("halt_wait_hist").orElseThrow();
    assertThat(waited.type()).isEqualTo(Statistic.Type.LOGARITHMIC_HISTOGRAM);
    assertThat(waited.unit()).isEqualTo(Statistic.Unit.SECONDS);
    assertThat(waited.base()).isEqualTo(Statistic.Base.POW10);
    assertThat(waited.exponent()).isEqualTo(-9);
    assertThat(ofVcpu.values("halt_wait_hist")).hasSize(32);
    assertThatThrownBy(() -> ofVcpu.value("halt_wait_hist"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> ofVcpu.value("hlat_wait"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("hlat_wait");
    assertThat(ofVcpu.of("guest_mode").orElseThrow().unit()).isEqualTo(Statistic.Unit.BOOLEAN);
    assertThat(ofVcpu.value("exits")).isZero();
    untilHlt(vcpu);
    assertThat(ofVcpu.value("exits")).isPositive();
  }
}
