package dev.iolite.contract;

import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_USER_MEMORY_REGION2;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region2;
import dev.iolite.uapi.tsmv6.TsmV6;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a guest has validated, and what it reaches there, under the profile v6. */
abstract class V6GuestContract extends TdiGuestContract {
  V6GuestContract(Backend backend) {
    super(backend, TsmV6.IOMMU_VDEVICE_TSM_OP(), TsmV6.IOMMU_VDEVICE_TSM_REQ());
  }

  /** Bound, and the first private run is mapped for the guest. */
  private void boundAndValidated() {
    succeeds(op(BIND));
    succeeds(validate(GPA, GPA + 2 * PAGE, barStart()));
    setPrivate(GPA, 2 * PAGE, true);
  }

  private int plainSlot(int number, long gpa, long bytes) {
    MemorySegment region = struct(kvm_userspace_memory_region2.layout());
    kvm_userspace_memory_region2.slot(region, number);
    kvm_userspace_memory_region2.guest_phys_addr(region, gpa);
    kvm_userspace_memory_region2.memory_size(region, bytes);
    kvm_userspace_memory_region2.userspace_addr(region, ram(bytes));
    return ioctl(vm, KVM_SET_USER_MEMORY_REGION2, region);
  }

  @Test
  void onlyTeeMemoryOfALockedInterfaceIsMapped() {
    // tsm.c:pci_tsm_guest_req; tsm-sim.c:sim_validate
    long start = barStart();
    fails(Errno.ENXIO, validate(GPA, GPA + PAGE, start));
    succeeds(op(BIND));
    fails(Errno.EINVAL, validate(GPA, GPA + 3 * PAGE, start));
    fails(Errno.EINVAL, validate(GPA, GPA + PAGE, start + 2 * PAGE));
    fails(Errno.EINVAL, validate(GPA, GPA, start));
    fails(Errno.EINVAL, validate(GPA + 1, GPA + PAGE, start));
    fails(Errno.EINVAL, validate(0, Long.MIN_VALUE, start));
    fails(Errno.EINVAL, validate(1L << 45, (1L << 45) + PAGE, start));
    succeeds(validate(GPA, GPA + 2 * PAGE, start));
    succeeds(state(UNLOCKED));
    fails(Errno.EIO, validate(GPA, GPA + PAGE, start));
  }

  @Test
  void whereSomethingIsNothingElseIsMapped() {
    // kvm_main.c:kvm_tsm_map_mmio, kvm_set_memory_region
    long start = barStart();
    succeeds(plainSlot(1, GPA + 2 * PAGE, PAGE));
    succeeds(op(BIND));
    fails(Errno.EEXIST, validate(GPA + 2 * PAGE, GPA + 3 * PAGE, start));
    fails(Errno.EEXIST, validate(GPA + PAGE, GPA + 3 * PAGE, start));
    succeeds(validate(GPA, GPA + 2 * PAGE, start));
    fails(Errno.EEXIST, validate(GPA + PAGE, GPA + 2 * PAGE, start));
    fails(Errno.EEXIST, plainSlot(2, GPA + PAGE, PAGE));
    succeeds(state(UNLOCKED));
    succeeds(plainSlot(2, GPA + PAGE, PAGE));
    succeeds(state(LOCKED));
    fails(Errno.EEXIST, validate(GPA, GPA + 2 * PAGE, start));
    succeeds(validate(GPA, GPA + PAGE, start));
  }

  @Test
  void whatIsValidatedIsReachedOnceTheInterfaceRuns() {
    // mmu.c:kvm_mmu_faultin_pfn_dmabuf; dmabuf.c:kvm_dmabuf_get_pfn
    boundAndValidated();
    faults(Errno.EFAULT, GPA, PRIVATE_FAULT);
    succeeds(state(RUN));
    reads(GPA, WORD);
  }

  @Test
  void whatIsNotValidatedIsNotReached() {
    // mmu.c:kvm_handle_noslot_fault
    succeeds(op(BIND));
    setPrivate(GPA, 2 * PAGE, true);
    succeeds(state(RUN));
    faults(Errno.EFAULT, GPA, PRIVATE_FAULT);
    succeeds(validate(GPA, GPA + PAGE, barStart()));
    reads(GPA, WORD);
    faults(Errno.EFAULT, GPA + PAGE, PRIVATE_FAULT);
  }

  @Test
  void aSharedAccessToItIsAFault() {
    // mmu.c:kvm_mmu_faultin_pfn_dmabuf
    boundAndValidated();
    succeeds(state(RUN));
    setPrivate(GPA, PAGE, false);
    faults(Errno.EFAULT, GPA, 0);
    setPrivate(GPA, PAGE, true);
    reads(GPA, WORD);
  }

  @Test
  void aPageThatWasFoundToBeMmioIsAccessedAsShared() {
    // mmu.c:kvm_mmu_page_fault, handle_mmio_page_fault
    write(device, MEMORY_BAR, PAGE, 4, WORD);
    readsMmio(GPA);
    boundAndValidated();
    succeeds(state(RUN));
    faults(Errno.EFAULT, GPA, 0);
    reads(GPA + PAGE, WORD);
  }

  @Test
  void itIsUnmappedWhenTheInterfaceIsUnlockedOrUnbound() {
    // tsm-sim.c:sim_change; kvm_main.c:kvm_tsm_unmap_mmio
    List<Runnable> ends =
        List.of(() -> succeeds(state(UNLOCKED)), () -> succeeds(op(UNBIND)), this::disconnect);
    for (Runnable end : ends) {
      boundAndValidated();
      succeeds(state(RUN));
      reads(GPA, WORD);
      end.run();
      faults(Errno.EFAULT, GPA, PRIVATE_FAULT);
      succeeds(op(UNBIND));
    }
  }

  @Test
  void anInterfaceInErrorIsRevokedAtOnceAndUnmappedWhenTheTsmLooks() {
    // vfio_pci_tdi.c:vfio_pci_tdi_leave; dmabuf.c:kvm_dmabuf_invalidate; tsm-sim.c:sim_state
    for (int command : new int[] {MASTER, MEMORY}) {
      boundAndValidated();
      succeeds(state(RUN));
      reads(GPA, WORD);
      setCommand(device, command);
      faults(Errno.EIO, GPA, PRIVATE_FAULT);
      setCommand(device, MEMORY | MASTER);
      faults(Errno.EIO, GPA, PRIVATE_FAULT);
      fails(Errno.EIO, state(RUN));
      faults(Errno.EFAULT, GPA, PRIVATE_FAULT);
      succeeds(op(UNBIND));
    }
  }
}
