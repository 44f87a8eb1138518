package dev.iolite.kvm;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_create_device;
import dev.iolite.uapi.kvm.kvm_create_guest_memfd;
import dev.iolite.uapi.kvm.kvm_memory_attributes;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region2;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * A virtual machine. Safe for use by several threads.
 *
 * <p>Closing it closes the vCPUs, slots, guest_memfds and devices that are still open, in the
 * reverse of the order in which they were made.
 */
public final class Vm implements AutoCloseable {
  /** The bit of KVM_HC_MAP_GPA_RANGE, which linux/kvm_para.h gives the number 12. */
  private static final int MAP_GPA_RANGE = 1 << 12;

  private final Fd fd;
  private final VmType type;
  private final int vcpuMmapBytes;
  private final VmInterrupts interrupts;

  /**
   * What was made from this VM and is still open, in the order in which it was made; guarded by
   * itself.
   */
  private final Set<AutoCloseable> open = new LinkedHashSet<>();

  /** The slot numbers in use; guarded by {@link #open}. */
  private final BitSet slotNumbers = new BitSet();

  /** The size of the ring of dirty pages that a vCPU gets; 0 for none. */
  private volatile int dirtyRingBytes;

  /** The hypercalls that leave the guest, a bit for each; guarded by {@link #open}. */
  private long hypercallExits;

  Vm(Fd fd, VmType type, int vcpuMmapBytes) {
    this.fd = fd;
    this.type = type;
    this.vcpuMmapBytes = vcpuMmapBytes;
    interrupts = new VmInterrupts(fd);
  }

  /** The descriptor, to pass to the kernel. */
  public Fd fd() {
    return fd;
  }

  /** The type it was made with. */
  public VmType type() {
    return type;
  }

  /** Its interrupt controllers and timer, and the ways of an interrupt into it. */
  public VmInterrupts interrupts() {
    return interrupts;
  }

  /**
   * What this VM says about a capability.
   *
   * <p>KVM_CHECK_EXTENSION on the VM, virt/kvm/kvm_main.c:kvm_vm_ioctl_check_extension_generic.
   *
   * @return 0 if the VM does not have it, else 1 or what the capability says
   */
  public int check(Capability capability) {
    return fd.ioctl(KvmIoctls.KVM_CHECK_EXTENSION_ON_VM, capability.number());
  }

  /**
   * Enables a capability.
   *
   * <p>KVM_ENABLE_CAP on the VM, virt/kvm/kvm_main.c:kvm_vm_ioctl_enable_cap_generic and
   * arch/x86/kvm/x86.c:kvm_vm_ioctl_enable_cap.
   *
   * @param args up to four numbers, as the capability defines them
   * @throws KernelException EINVAL: the capability cannot be enabled for a VM, does not accept an
   *     argument, or is enabled too late (vCPUs exist)
   */
  public void enable(Capability capability, long... args) {
    try (Arena arena = Arena.ofConfined()) {
      fd.ioctl(KvmIoctls.KVM_ENABLE_CAP, capability.enabled(arena, args));
    }
  }

  /**
   * Makes the guest's requests to make memory private or shared leave the guest, as an {@link
   * Exit.Hypercall} with KVM_HC_MAP_GPA_RANGE (12).
   *
   * <p>KVM_CAP_EXIT_HYPERCALL, arch/x86/kvm/x86.c:kvm_vm_ioctl_enable_cap.
   *
   * @return false if this KVM does not support that, in which case nothing was changed
   */
  public boolean exitOnMapGpa() {
    return exitOnHypercalls(MAP_GPA_RANGE);
  }

  /**
   * Makes hypercalls leave the guest, as an {@link Exit.Hypercall}, in addition to those that
   * already do.
   *
   * <p>KVM_CAP_EXIT_HYPERCALL, arch/x86/kvm/x86.c:kvm_vm_ioctl_enable_cap.
   *
   * @param calls a bit for each, as in the capability
   * @return false if this KVM does not support all of them, in which case nothing was changed
   */
  public boolean exitOnHypercalls(long calls) {
    synchronized (open) {
      if ((calls & ~check(Capability.EXIT_HYPERCALL)) != 0) {
        return false;
      }
      enable(Capability.EXIT_HYPERCALL, hypercallExits | calls);
      hypercallExits |= calls;
      return true;
    }
  }

  /**
   * Whether hypercalls leave the guest, since {@link #exitOnHypercalls} or {@link #exitOnMapGpa}.
   *
   * @param calls a bit for each; the answer is true only if all of them do
   */
  public boolean exitsOnHypercalls(long calls) {
    synchronized (open) {
      return (calls & ~hypercallExits) == 0;
    }
  }

  /**
   * Backs a range of guest-physical addresses with memory of this process: RAM, or a device's BAR.
   *
   * <p>KVM_SET_USER_MEMORY_REGION, virt/kvm/kvm_main.c:kvm_set_memory_region.
   *
   * @param gpa the first guest-physical address, a multiple of the page size
   * @param bytes the length, a multiple of the page size, more than 0
   * @param hostAddress where the memory is mapped in this process, a multiple of the page size; it
   *     must stay mapped as long as the slot exists
   * @param flags {@link SlotFlag#LOG_DIRTY_PAGES} and {@link SlotFlag#READONLY}
   * @throws KernelException EEXIST: overlaps another slot; EINVAL: an address or the length is no
   *     multiple of the page size, the host address is not in this process, the VM type does not
   *     allow the flags, or there are no slots left
   */
  public MemorySlot addSlot(long gpa, long bytes, long hostAddress, SlotFlag... flags) {
    Set<SlotFlag> set = EnumSet.noneOf(SlotFlag.class);
    set.addAll(Set.of(flags));
    synchronized (open) {
      int number = slotNumbers.nextClearBit(0);
      setRegion(number, gpa, bytes, hostAddress, set);
      return added(new MemorySlot(this, number, gpa, bytes, hostAddress, Set.copyOf(set)));
    }
  }

  /**
   * Backs a range of guest-physical addresses with shared memory of this process and with private
   * memory. The memory attribute of an address decides which of the two the guest gets there.
   *
   * <p>KVM_SET_USER_MEMORY_REGION2 with KVM_MEM_GUEST_MEMFD, since Linux 6.8,
   * virt/kvm/kvm_main.c:kvm_set_memory_region, virt/kvm/guest_memfd.c:kvm_gmem_bind. Such a slot
   * can be deleted, but not changed.
   *
   * @param gpa the first guest-physical address, a multiple of the page size
   * @param bytes the length, a multiple of the page size, more than 0
   * @param hostAddress where the shared memory is mapped in this process; 0 for none
   * @param memory the private memory, of this VM
   * @param offset where the slot starts in it, in bytes, a multiple of the page size
   * @throws KernelException EEXIST: overlaps another slot, or that part of the file is already in a
   *     slot; EINVAL: as for {@link #addSlot}, or the file belongs to another VM or is too short
   */
  public MemorySlot addPrivateSlot(
      long gpa, long bytes, long hostAddress, GuestMemfd memory, long offset) {
    return addFileSlot(
        gpa,
        bytes,
        hostAddress,
        SlotFlag.GUEST_MEMFD.bit(),
        memory.fd(),
        offset,
        Set.of(SlotFlag.GUEST_MEMFD));
  }

  /**
   * Backs a range of guest-physical addresses with a dma-buf, as a proposal defines and 7.3 does
   * not.
   *
   * <p>KVM_SET_USER_MEMORY_REGION2 with the dma-buf as guest_memfd. Such a slot can be deleted, but
   * not changed; the kernel keeps the dma-buf as long as the slot exists.
   *
   * @param gpa the first guest-physical address, a multiple of the page size
   * @param bytes the length, a multiple of the page size, more than 0
   * @param hostAddress where the shared memory is mapped in this process; 0 for none
   * @param flagBits the proposal's KVM_MEM_ flags
   * @param dmaBuf the dma-buf that backs it
   * @param offset where the slot starts in it, in bytes, a multiple of the page size
   * @throws KernelException EEXIST: overlaps another slot; EINVAL: as for {@link #addSlot}, the
   *     kernel does not know the flags, or the dma-buf is not of the kind or size that they
   *     require; EBADF: it is closed
   */
  public MemorySlot addDmaBufSlot(
      long gpa, long bytes, long hostAddress, int flagBits, Fd dmaBuf, long offset) {
    return addFileSlot(gpa, bytes, hostAddress, flagBits, dmaBuf, offset, Set.of());
  }

  private MemorySlot addFileSlot(
      long gpa,
      long bytes,
      long hostAddress,
      int flagBits,
      Fd file,
      long offset,
      Set<SlotFlag> flags) {
    synchronized (open) {
      int number = slotNumbers.nextClearBit(0);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment argument = kvm_userspace_memory_region2.allocate(arena);
        kvm_userspace_memory_region2.slot(argument, number);
        kvm_userspace_memory_region2.flags(argument, flagBits);
        kvm_userspace_memory_region2.guest_phys_addr(argument, gpa);
        kvm_userspace_memory_region2.memory_size(argument, bytes);
        kvm_userspace_memory_region2.userspace_addr(argument, hostAddress);
        kvm_userspace_memory_region2.guest_memfd(argument, file.number());
        kvm_userspace_memory_region2.guest_memfd_offset(argument, offset);
        fd.ioctl(KvmIoctls.KVM_SET_USER_MEMORY_REGION2, argument);
      }
      return added(new MemorySlot(this, number, gpa, bytes, hostAddress, flags));
    }
  }

  private MemorySlot added(MemorySlot slot) {
    slotNumbers.set(slot.number());
    open.add(slot);
    return slot;
  }

  private void setRegion(int number, long gpa, long bytes, long hostAddress, Set<SlotFlag> flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = kvm_userspace_memory_region.allocate(arena);
      kvm_userspace_memory_region.slot(argument, number);
      kvm_userspace_memory_region.flags(
          argument, flags.stream().mapToInt(SlotFlag::bit).reduce(0, (a, b) -> a | b));
      kvm_userspace_memory_region.guest_phys_addr(argument, gpa);
      kvm_userspace_memory_region.memory_size(argument, bytes);
      kvm_userspace_memory_region.userspace_addr(argument, hostAddress);
      fd.ioctl(KvmIoctls.KVM_SET_USER_MEMORY_REGION, argument);
    }
  }

  boolean owns(MemorySlot slot) {
    synchronized (open) {
      return open.contains(slot);
    }
  }

  /** Gives a slot another address or other flags. */
  void changeSlot(MemorySlot slot, UnaryOperator<MemorySlot.Place> change) {
    synchronized (open) {
      if (!open.contains(slot)) {
        throw new IllegalStateException(slot + " is deleted");
      }
      MemorySlot.Place to = change.apply(slot.place());
      setRegion(slot.number(), to.gpa(), slot.bytes(), slot.hostAddress(), to.flags());
      slot.isAt(to);
    }
  }

  void deleteSlot(MemorySlot slot) {
    synchronized (open) {
      if (open.remove(slot)) {
        setRegion(slot.number(), slot.gpa(), 0, 0, Set.of());
        slotNumbers.clear(slot.number());
      }
    }
  }

  /**
   * Deletes the slot with a number, no matter who made it.
   *
   * <p>KVM_SET_USER_MEMORY_REGION with size 0, virt/kvm/kvm_main.c:kvm_set_memory_region, which
   * returns EINVAL if there is none.
   *
   * @return whether there was one
   * @throws KernelException what else the kernel said
   */
  public boolean deleteSlot(int number) {
    try {
      setRegion(number, 0, 0, 0, Set.of());
      return true;
    } catch (KernelException e) {
      if (e.errno() == Errno.EINVAL) {
        return false;
      }
      throw e;
    }
  }

  /**
   * Makes memory that only this VM can reach.
   *
   * <p>KVM_CREATE_GUEST_MEMFD, since Linux 6.8, virt/kvm/guest_memfd.c:kvm_gmem_create.
   *
   * @param bytes the size, a multiple of the page size, more than 0
   * @param flags what the file can do, of those that KVM_CAP_GUEST_MEMFD_FLAGS offers
   * @throws KernelException EINVAL: the size is wrong, or this VM cannot have a flag; ENOTTY: the
   *     kernel has no guest_memfd
   */
  public GuestMemfd createGuestMemfd(long bytes, GuestMemfd.Flag... flags) {
    long bits = 0;
    for (GuestMemfd.Flag flag : flags) {
      bits |= flag.bit();
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = kvm_create_guest_memfd.allocate(arena);
      kvm_create_guest_memfd.size(argument, bytes);
      kvm_create_guest_memfd.flags(argument, bits);
      return opened(
          new GuestMemfd(
              fd.ioctlFd(KvmIoctls.KVM_CREATE_GUEST_MEMFD, argument, "of " + fd),
              bytes,
              this::forget));
    }
  }

  /**
   * Makes a range of guest-physical addresses private or shared. There need not be a slot; the
   * guest's page table entries for the range are dropped.
   *
   * <p>KVM_SET_MEMORY_ATTRIBUTES, since Linux 6.8,
   * virt/kvm/kvm_main.c:kvm_vm_ioctl_set_mem_attributes.
   *
   * @param gpa the first address, a multiple of the page size
   * @param bytes the length, a multiple of the page size, more than 0
   * @param isPrivate true if the guest is to reach private memory there, false for shared memory
   * @throws KernelException EINVAL: not aligned, or the VM type has no private memory; ENOTTY: the
   *     kernel has no memory attributes; ENOMEM
   */
  public void setPrivate(long gpa, long bytes, boolean isPrivate) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = kvm_memory_attributes.allocate(arena);
      kvm_memory_attributes.address(argument, gpa);
      kvm_memory_attributes.size(argument, bytes);
      kvm_memory_attributes.attributes(
          argument, isPrivate ? Kvm.KVM_MEMORY_ATTRIBUTE_PRIVATE() : 0);
      fd.ioctl(KvmIoctls.KVM_SET_MEMORY_ATTRIBUTES, argument);
    }
  }

  /**
   * Makes a vCPU, in the state that a processor has after reset.
   *
   * <p>KVM_CREATE_VCPU, virt/kvm/kvm_main.c:kvm_vm_ioctl_create_vcpu. KVM keeps a vCPU, and its id,
   * until the VM is closed: closing the {@link Vcpu} frees only its descriptor.
   *
   * @param id its id (on x86 the APIC id), 0 to KVM_CAP_MAX_VCPU_ID - 1
   * @param code the slot with the vCPU's first instruction: without memory there is nothing to run
   * @throws KernelException EEXIST: there is already a vCPU with this id; EINVAL: the id is too
   *     large, or the VM has all the vCPUs it can have; ENOMEM
   * @throws IllegalArgumentException if the slot is not one of this VM's
   */
  public Vcpu createVcpu(int id, MemorySlot code) {
    if (!owns(code)) {
      throw new IllegalArgumentException(code + " is no slot of " + this);
    }
    return createVcpu(id, Optional.of(code));
  }

  /**
   * Makes a vCPU whose first instruction is in memory that this process does not see, as in a
   * confidential VM.
   *
   * @throws KernelException as for {@link #createVcpu(int, MemorySlot)}, and EIO, EINVAL: a trust
   *     domain that is not initialized, or has no split interrupt controller
   */
  public Vcpu createVcpu(int id) {
    return createVcpu(id, Optional.empty());
  }

  private Vcpu createVcpu(int id, Optional<MemorySlot> code) {
    try (CloseStack opening = new CloseStack()) {
      Fd vcpu = opening.push(fd.ioctlFd(KvmIoctls.KVM_CREATE_VCPU, id, "vCPU " + id + " of " + fd));
      Vcpu made =
          opened(
              new Vcpu(
                  vcpu,
                  id,
                  code,
                  vcpuMmapBytes,
                  dirtyRingBytes,
                  () -> check(Capability.XSAVE2),
                  this::forget));
      opening.release();
      return made;
    }
  }

  /**
   * Sets where Intel processors keep three pages for guests in real mode; nothing else may be
   * there.
   *
   * <p>KVM_SET_TSS_ADDR, arch/x86/kvm/x86.c:kvm_vm_ioctl_set_tss_addr.
   *
   * @param gpa the first address, below 4 GiB - 12 KiB
   * @throws KernelException EINVAL: it is beyond that; EEXIST: something is there
   */
  public void setTssAddress(long gpa) {
    fd.ioctl(KvmIoctls.KVM_SET_TSS_ADDR, gpa);
  }

  /**
   * Sets where Intel processors keep a page table for guests without paging; nothing else may be
   * there.
   *
   * <p>KVM_SET_IDENTITY_MAP_ADDR, arch/x86/kvm/x86.c:kvm_vm_ioctl_set_identity_map_addr.
   *
   * @param gpa the address of the page; 0 for KVM's own choice
   * @throws KernelException EINVAL: the VM has a vCPU
   */
  public void setIdentityMapAddress(long gpa) {
    try (Arena arena = Arena.ofConfined()) {
      fd.ioctl(KvmIoctls.KVM_SET_IDENTITY_MAP_ADDR, arena.allocateFrom(ValueLayout.JAVA_LONG, gpa));
    }
  }

  /**
   * Sets which vCPU starts by itself. The others wait for INIT and SIPI, if the local APICs are in
   * the kernel. It is 0 unless set.
   *
   * <p>KVM_SET_BOOT_CPU_ID, arch/x86/kvm/x86.c:kvm_arch_vm_ioctl.
   *
   * @throws KernelException EBUSY: the VM has a vCPU; EINVAL: no vCPU can have this id
   */
  public void setBootCpuId(int id) {
    fd.ioctl(KvmIoctls.KVM_SET_BOOT_CPU_ID, id);
  }

  /**
   * Makes the device through which KVM and VFIO learn of each other.
   *
   * <p>KVM_CREATE_DEVICE with KVM_DEV_TYPE_VFIO, virt/kvm/vfio.c:kvm_vfio_create.
   *
   * @throws KernelException EBUSY: the VM already has one; ENODEV: the kernel has no
   *     CONFIG_KVM_VFIO
   */
  public VfioKvmDevice createVfioDevice() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = kvm_create_device.allocate(arena);
      kvm_create_device.type(argument, Kvm.KVM_DEV_TYPE_VFIO());
      fd.ioctl(KvmIoctls.KVM_CREATE_DEVICE, argument);
      Fd device =
          Fd.owned(fd.kernel(), FdKind.KVM_DEVICE, kvm_create_device.fd(argument), "VFIO of " + fd);
      return opened(new VfioKvmDevice(device, this::forget));
    }
  }

  /** The launch of a VM of type {@link VmType#TDX}. */
  public Tdx tdx() {
    return new Tdx(this);
  }

  /**
   * Its encryption by AMD SEV, which its type or {@link Sev#initDefault} decides.
   *
   * @param processor must stay open until the VM is closed
   */
  public Sev sev(SecureProcessor processor) {
    return new Sev(this, processor);
  }

  /**
   * The launch of a VM of type {@link VmType#SNP}.
   *
   * @param processor must stay open until the VM is closed
   */
  public Snp snp(SecureProcessor processor) {
    return new Snp(this, processor);
  }

  /** Called when the kernel gives each new vCPU a ring. */
  void dirtyRingsEnabled(int bytes) {
    dirtyRingBytes = bytes;
  }

  /** Which pages the guest writes. */
  public VmDirtyLog dirtyLog() {
    return new VmDirtyLog(this);
  }

  /** The guest's clock, and the rate of its time stamp counters. */
  public VmClock clock() {
    return new VmClock(fd);
  }

  /** The guest's access to model-specific registers. */
  public VmMsrs msrs() {
    return new VmMsrs(this);
  }

  /** Ranges in which the guest's writes are collected. */
  public CoalescedIo coalescedIo() {
    return new CoalescedIo(fd);
  }

  /** The timer, by its older calls. */
  public Pit pit() {
    return new Pit(fd);
  }

  /** Hyper-V's interface to the guest. */
  public HyperV hyperV() {
    return new HyperV(fd);
  }

  /** Xen's interface to the guest. */
  public Xen xen() {
    return new Xen(fd);
  }

  /** Memory that the secure processor encrypts. */
  public EncryptedMemory encryptedMemory() {
    return new EncryptedMemory(fd);
  }

  /**
   * Decides which events the guest's performance counters count, in place of an earlier filter.
   *
   * <p>KVM_SET_PMU_EVENT_FILTER, since Linux 5.3,
   * arch/x86/kvm/pmu.c:kvm_vm_ioctl_set_pmu_event_filter.
   *
   * @throws KernelException E2BIG: more than 300 events; EINVAL: a masked event has other bits
   */
  public void filterPmuEvents(PmuEventFilter filter) {
    try (Arena arena = Arena.ofConfined()) {
      fd.ioctl(KvmIoctls.KVM_SET_PMU_EVENT_FILTER, filter.allocate(arena));
    }
  }

  /**
   * Limits how many shadow pages KVM keeps for the guest; without second-level address translation,
   * a guest needs many of them.
   *
   * <p>KVM_SET_NR_MMU_PAGES, arch/x86/kvm/x86.c:kvm_vm_ioctl_set_nr_mmu_pages.
   *
   * @throws KernelException EINVAL: fewer than 64
   */
  public void limitShadowPages(long pages) {
    fd.ioctl(KvmIoctls.KVM_SET_NR_MMU_PAGES, pages);
  }

  /**
   * Opens what KVM counts for the VM.
   *
   * <p>KVM_GET_STATS_FD, since Linux 5.14, virt/kvm/kvm_main.c:kvm_vm_ioctl_get_stats_fd. The
   * statistics stay open when the VM is closed.
   */
  public Statistics statistics() {
    try (CloseStack opening = new CloseStack()) {
      Fd file = opening.push(fd.ioctlFd(KvmIoctls.KVM_GET_STATS_FD, 0, "statistics of " + fd));
      Statistics made = Statistics.of(file);
      opening.release();
      return made;
    }
  }

  private <T extends AutoCloseable> T opened(T child) {
    synchronized (open) {
      open.add(child);
    }
    return child;
  }

  private void forget(AutoCloseable child) {
    synchronized (open) {
      open.remove(child);
    }
  }

  /**
   * Closes everything made from the VM that is still open, then the VM.
   *
   * @throws KernelException the first failure; everything is closed all the same
   * @throws IllegalStateException if a vCPU is running; everything else is closed, and the vCPU can
   *     be closed when its run has returned
   */
  @Override
  public void close() {
    CloseStack all = new CloseStack();
    all.push(fd);
    synchronized (open) {
      open.forEach(all::push);
    }
    all.close();
  }

  @Override
  public String toString() {
    return fd.toString();
  }
}
