package dev.iolite.contract;

import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CHECK_EXTENSION;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CHECK_EXTENSION_ON_VM;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_VM;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_ENABLE_CAP;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_RUN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_enable_cap;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Memory slots over dma-bufs, what a guest reaches by them, and its hypercalls. */
abstract class SeedGuestContract extends TdiGuestContract {
  SeedGuestContract(Backend backend) {
    super(backend, TsmSeed2025.IOMMU_VDEVICE_TSM_OP(), TsmSeed2025.IOMMU_VDEVICE_TSM_REQ());
  }

  /** Bound, and the first private run is the guest's. */
  private int boundWithPrivateSlot() {
    succeeds(op(BIND));
    int hidden = keep(export(PRIVATE, ALL));
    succeeds(slot(1, DMABUF | PRIVATE_ONLY, GPA, 2 * PAGE, hidden, 0));
    setPrivate(GPA, 2 * PAGE, true);
    return hidden;
  }

  @Test
  void aSlotIsOfOneKindAsItsDmaBuf() {
    // dmabuf.c:kvm_dmabuf_take
    int plain = keep(export(0, ALL));
    fails(Errno.EINVAL, slot(1, DMABUF, GPA, PAGE, plain, 0));
    close(plain);
    int shared = keep(export(SHARED, ALL));
    fails(Errno.EINVAL, slot(1, DMABUF | PRIVATE_ONLY, GPA, PAGE, shared, 0));
    succeeds(slot(1, DMABUF, GPA, PAGE, shared, 0));
    succeeds(deleteSlot(1));
    close(shared);
    succeeds(op(BIND));
    int hidden = keep(export(PRIVATE, ALL));
    fails(Errno.EINVAL, slot(1, DMABUF, GPA, PAGE, hidden, 0));
    succeeds(slot(1, DMABUF | PRIVATE_ONLY, GPA, PAGE, hidden, 0));
  }

  @Test
  void theFlagsOfASlotGoWithNoOthers() {
    // kvm_main.c:check_memory_region_flags
    int shared = keep(export(SHARED, ALL));
    for (long other :
        List.of(Kvm.KVM_MEM_GUEST_MEMFD(), Kvm.KVM_MEM_READONLY(), Kvm.KVM_MEM_LOG_DIRTY_PAGES())) {
      fails(Errno.EINVAL, slot(1, DMABUF | (int) other, GPA, PAGE, shared, 0));
    }
    fails(Errno.EINVAL, slot(1, PRIVATE_ONLY, GPA, PAGE, shared, 0));
  }

  @Test
  void aSlotIsOverAPartOfADmaBuf() {
    // dmabuf.c:kvm_dmabuf_prepare_memory_region, kvm_dmabuf_cut
    int shared = keep(export(SHARED, ALL));
    fails(Errno.EINVAL, slot(1, DMABUF, GPA, MEMORY_BYTES, shared, PAGE));
    fails(Errno.EINVAL, slot(1, DMABUF, GPA, PAGE, shared, 8));
    fails(Errno.EINVAL, slot(1, DMABUF, GPA, PAGE, iommufd, 0));
    fails(Errno.EBADF, slot(1, DMABUF, GPA, PAGE, 999, 0));
    succeeds(slot(1, DMABUF, GPA, PAGE, shared, 2 * PAGE));
    reads(GPA, ~WORD);
  }

  @Test
  void aSlotOverADmaBufIsDeletedAndNotChanged() {
    // kvm_main.c:kvm_set_memory_region
    int shared = keep(export(SHARED, ALL));
    succeeds(slot(1, DMABUF, GPA, PAGE, shared, 0));
    fails(Errno.EINVAL, slot(1, DMABUF, GPA + PAGE, PAGE, shared, 0));
    fails(Errno.EINVAL, slot(1, 0, GPA, PAGE, shared, 0));
    fails(Errno.EEXIST, slot(2, DMABUF, GPA, PAGE, shared, 0));
    succeeds(deleteSlot(1));
    succeeds(slot(2, DMABUF, GPA, PAGE, shared, 0));
  }

  @Test
  void aPlainVmHasSharedSlotsOnly() {
    // kvm_main.c:check_memory_region_flags
    vm = keep(ioctl(open("/dev/kvm"), KVM_CREATE_VM, Kvm.KVM_X86_DEFAULT_VM()));
    int shared = keep(export(SHARED, ALL));
    fails(Errno.EINVAL, slot(1, DMABUF | PRIVATE_ONLY, GPA, PAGE, shared, 0));
    succeeds(slot(1, DMABUF, GPA, PAGE, shared, 0));
  }

  @Test
  void privateMemoryIsReachedOnceTheInterfaceRuns() {
    // mmu.c:kvm_mmu_faultin_pfn_dmabuf; dmabuf.c:kvm_dmabuf_get_pfn
    boundWithPrivateSlot();
    faults(Errno.EFAULT, GPA, PRIVATE_FAULT);
    succeeds(state(RUN));
    reads(GPA, WORD);
  }

  @Test
  void aSharedAccessToPrivateMemoryIsAFault() {
    // mmu.c:kvm_mmu_faultin_pfn_dmabuf
    boundWithPrivateSlot();
    succeeds(state(RUN));
    setPrivate(GPA, PAGE, false);
    faults(Errno.EFAULT, GPA, 0);
    setPrivate(GPA, PAGE, true);
    reads(GPA, WORD);
  }

  @Test
  void aPrivateAccessToSharedMemoryIsAFault() {
    // mmu.c:kvm_mmu_faultin_pfn_dmabuf
    succeeds(op(BIND));
    int shared = keep(export(SHARED, ALL));
    succeeds(slot(1, DMABUF, GPA, PAGE, shared, 0));
    reads(GPA, ~WORD);
    setPrivate(GPA, PAGE, true);
    faults(Errno.EFAULT, GPA, PRIVATE_FAULT);
  }

  @Test
  void aSlotOfARevokedDmaBufIsDeadForGood() {
    // dmabuf.c:kvm_dmabuf_invalidate
    int hidden = boundWithPrivateSlot();
    succeeds(state(RUN));
    reads(GPA, WORD);
    succeeds(op(UNBIND));
    faults(Errno.EIO, GPA, PRIVATE_FAULT);
    fails(Errno.ENODEV, slot(2, DMABUF | PRIVATE_ONLY, GPA + 4 * PAGE, PAGE, hidden, 0));
    succeeds(op(BIND));
    succeeds(state(RUN));
    faults(Errno.EIO, GPA, PRIVATE_FAULT);
    succeeds(deleteSlot(1));
  }

  @Test
  void aSlotStaysDeadEvenIfItsDmaBufComesBack() {
    // dmabuf.c:kvm_dmabuf_invalidate
    int shared = keep(export(SHARED, ALL));
    succeeds(slot(1, DMABUF, GPA, PAGE, shared, 0));
    reads(GPA, WORD);
    setCommand(device, MASTER);
    faults(Errno.EIO, GPA, 0);
    setCommand(device, MEMORY | MASTER);
    faults(Errno.EIO, GPA, 0);
    succeeds(slot(2, DMABUF, GPA + PAGE, PAGE, shared, 0));
    reads(GPA + PAGE, WORD);
  }

  @Test
  void whatRevokesASlot() {
    // vfio_pci_tdi.c:state_changed, vfio_pci_tdi_upset; tsm.c:__pci_tsm_disconnect
    List<Runnable> causes =
        List.of(
            () -> succeeds(state(UNLOCKED)),
            () -> setCommand(device, MASTER),
            () -> setCommand(device, MEMORY),
            this::disconnect);
    for (Runnable cause : causes) {
      int hidden = boundWithPrivateSlot();
      succeeds(state(RUN));
      reads(GPA, WORD);
      cause.run();
      faults(Errno.EIO, GPA, PRIVATE_FAULT);
      setCommand(device, MEMORY | MASTER);
      succeeds(deleteSlot(1));
      close(hidden);
      succeeds(op(UNBIND));
    }
  }

  /** mov eax, number; mov ebx, VIRTUAL_BDF; mov ecx, 1; mov edx, 2; mov esi, 3; vmmcall; out. */
  private int calls(int number) {
    return runs(
        0x66,
        0xb8,
        number,
        number >> 8,
        number >> 16,
        number >> 24, //
        0x66,
        0xbb,
        (int) VIRTUAL_BDF,
        0,
        0,
        0, //
        0x66,
        0xb9,
        1,
        0,
        0,
        0, //
        0x66,
        0xba,
        2,
        0,
        0,
        0, //
        0x66,
        0xbe,
        3,
        0,
        0,
        0, //
        0x0f,
        0x01,
        0xd9, //
        0xba,
        PORT,
        PORT >> 8,
        0x66,
        0xef);
  }

  private int enableHypercalls(long calls) {
    MemorySegment enable = struct(kvm_enable_cap.layout());
    kvm_enable_cap.cap(enable, Kvm.KVM_CAP_EXIT_HYPERCALL());
    kvm_enable_cap.args(enable, 0, calls);
    return ioctl(vm, KVM_ENABLE_CAP, enable);
  }

  @Test
  void theTsmsHypercallsLeaveOnceTheyMay() {
    // x86.c:____kvm_emulate_hypercall
    int all = 1 << 12 | 1 << 13;
    assertThat(ioctl(vm, KVM_CHECK_EXTENSION_ON_VM, Kvm.KVM_CAP_EXIT_HYPERCALL())).isEqualTo(all);
    int number = Tsm.KVM_HC_TSM_VALIDATE_MMIO();
    succeeds(calls(number));
    assertThat(output()).isEqualTo(-1000);
    fails(Errno.EINVAL, enableHypercalls(1 << 14));
    succeeds(enableHypercalls(1 << 13));
    succeeds(calls(number));
    assertThat(kvm_run.exit_reason(run)).isEqualTo(Kvm.KVM_EXIT_HYPERCALL());
    MemorySegment call = kvm_run.hypercall(run);
    assertThat(kvm_run.hypercall.nr(call)).isEqualTo(number);
    assertThat(kvm_run.hypercall.args(call, 0)).isEqualTo(VIRTUAL_BDF);
    for (int i = 1; i < 4; i++) {
      assertThat(kvm_run.hypercall.args(call, i)).isEqualTo(i);
    }
    kvm_run.hypercall.ret(call, -5);
    succeeds(ioctl(vcpu, KVM_RUN, 0));
    assertThat(output()).isEqualTo(-5);
  }

  @Test
  void aHypercallThatDoesNothingSucceeds() {
    // x86.c:____kvm_emulate_hypercall: KVM_HC_VAPIC_POLL_IRQ
    succeeds(calls(1));
    assertThat(output()).isZero();
  }

  @Test
  void theFlagsOfSlotsOverDmaBufsAreACapability() {
    // kvm_main.c:kvm_dmabuf_flags
    int flags = TsmSeed2025.KVM_CAP_MEMORY_DMABUF();
    assertThat(ioctl(vm, KVM_CHECK_EXTENSION_ON_VM, flags)).isEqualTo(DMABUF | PRIVATE_ONLY);
    int kvm = open("/dev/kvm");
    assertThat(ioctl(kvm, KVM_CHECK_EXTENSION, flags)).isEqualTo(DMABUF);
    int plain = keep(ioctl(kvm, KVM_CREATE_VM, Kvm.KVM_X86_DEFAULT_VM()));
    assertThat(ioctl(plain, KVM_CHECK_EXTENSION_ON_VM, flags)).isEqualTo(DMABUF);
  }

  @Test
  void theFlagForPrivateAccessesAloneIsInvalidEvenToDelete() {
    // kvm_main.c:check_memory_region_flags
    int shared = keep(export(SHARED, ALL));
    succeeds(slot(1, DMABUF, GPA, PAGE, shared, 0));
    fails(Errno.EINVAL, slot(1, PRIVATE_ONLY, GPA, 0, 0, 0));
    succeeds(slot(1, DMABUF | PRIVATE_ONLY, GPA, 0, 0, 0));
  }

  @Test
  void theDmaBufIsLookedAtBeforeTheAddress() {
    // kvm_main.c:kvm_set_memory_region: kvm_dmabuf_prepare_memory_region before kvm_set_memslot
    long unreachable = 1L << 45;
    int shared = keep(export(SHARED, ALL));
    fails(Errno.EBADF, slot(1, DMABUF, unreachable, PAGE, 999, 0));
    fails(Errno.EINVAL, slot(1, DMABUF, unreachable, PAGE, shared, 0));
    close(shared);
    succeeds(op(BIND));
  }

  @Test
  void aPageThatWasFoundToBeMmioIsAccessedAsShared() {
    // mmu.c:kvm_mmu_page_fault, handle_mmio_page_fault: until something is mapped there
    write(device, MEMORY_BAR, PAGE, 4, WORD);
    readsMmio(GPA);
    setPrivate(GPA, PAGE, true);
    readsMmio(GPA);
    boundWithPrivateSlot();
    succeeds(state(RUN));
    faults(Errno.EFAULT, GPA, 0);
    reads(GPA + PAGE, WORD);
  }
}
