package dev.iolite.kvm;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.Page;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_pre_fault_memory;
import dev.iolite.uapi.kvm.kvm_regs;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.kvm.kvm_segment;
import dev.iolite.uapi.kvm.kvm_signal_mask;
import dev.iolite.uapi.kvm.kvm_sregs;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import java.util.function.Predicate;

/**
 * A virtual processor. Made by {@link Vm#createVcpu}.
 *
 * <p>For use by one thread at a time, except for {@link #stop}; ideally, the same thread always
 * runs it. While one runs it, a second run is refused, and {@link #close} by another thread.
 */
public final class Vcpu implements AutoCloseable {
  private static final long REAL_MODE_END = 1L << 20;
  private static final long REAL_MODE_SEGMENT = 0xffff;
  private static final long ALWAYS_ADMITTED = 1L << (Kernel.INTERRUPTION - 1);

  private final Fd fd;
  private final int id;
  private final Optional<MemorySlot> code;
  private final Consumer<Vcpu> onClose;
  private final Mapping run;
  private final ExitDecoder decoder;
  private final Watchdog watchdog;
  private final int dirtyRingBytes;
  private final IntSupplier xsaveBytes;
  private final X86State x86;

  /** The ring as it was mapped last. */
  private Optional<DirtyRing> dirtyRing = Optional.empty();

  /** Held by the thread that runs the guest or closes this. */
  private final ReentrantLock busy = new ReentrantLock();

  /** Takes over the descriptor, unless this fails. */
  Vcpu(
      Fd fd,
      int id,
      Optional<MemorySlot> code,
      int mmapBytes,
      int dirtyRingBytes,
      IntSupplier xsaveBytes,
      Consumer<Vcpu> onClose) {
    this.fd = fd;
    this.id = id;
    this.code = code;
    this.dirtyRingBytes = dirtyRingBytes;
    this.xsaveBytes = xsaveBytes;
    this.onClose = onClose;
    run = Mapping.of(fd, 0, mmapBytes, Libc.PROT_READ() | Libc.PROT_WRITE());
    x86 = new X86State(fd);
    decoder = new ExitDecoder(run.segment());
    watchdog = new Watchdog(fd.kernel(), run.segment(), "vCPU " + id);
  }

  /** Its id within the VM, the APIC id on x86. */
  public int id() {
    return id;
  }

  /** The descriptor, to be given to the kernel. */
  public Fd fd() {
    return fd;
  }

  /**
   * Its state that x86 defines: special registers, CPUID, MSRs, FPU, local APIC.
   *
   * @see #registers
   */
  public X86State x86() {
    return x86;
  }

  /**
   * The general registers.
   *
   * <p>KVM_GET_REGS, arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl_get_regs.
   *
   * @throws KernelException EINVAL: the guest's state is protected from the host
   */
  public GeneralRegisters registers() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment regs = kvm_regs.allocate(arena);
      fd.ioctl(KvmIoctls.KVM_GET_REGS, regs);
      return GeneralRegisters.of(regs);
    }
  }

  /**
   * Sets the general registers.
   *
   * <p>KVM_SET_REGS, arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl_set_regs.
   *
   * @throws KernelException EINVAL: the guest's state is protected from the host
   */
  public void setRegisters(GeneralRegisters registers) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment regs = kvm_regs.allocate(arena);
      registers.store(regs);
      fd.ioctl(KvmIoctls.KVM_SET_REGS, regs);
    }
  }

  /**
   * Readies the vCPU to run 16-bit code in flat real mode: every data segment starts at
   * guest-physical address 0 and reaches to 4 GiB, so that code with 32-bit addresses reaches
   * memory slots and MMIO anywhere below that; the general registers are 0.
   *
   * <p>KVM_GET_SREGS, KVM_SET_SREGS, KVM_SET_REGS; arch/x86/kvm/x86.c:__set_sregs.
   *
   * @param gpa the guest-physical address of the first instruction: in the slot that the vCPU was
   *     made with, if it was made with one, and below 1 MiB, where real mode can reach it
   * @throws IllegalArgumentException if it is not
   * @throws KernelException EINVAL: the guest's state is protected from the host
   */
  public void enterRealMode(long gpa) {
    boolean isCode = code.map(slot -> slot.contains(gpa)).orElse(true);
    if (!isCode || Long.compareUnsigned(gpa, REAL_MODE_END) >= 0) {
      throw new IllegalArgumentException(
          "real mode can't begin at 0x%x: it is not below 1 MiB and in %s"
              .formatted(gpa, code.map(MemorySlot::toString).orElse("a slot")));
    }
    long base = gpa & ~REAL_MODE_SEGMENT;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment sregs = kvm_sregs.allocate(arena);
      fd.ioctl(KvmIoctls.KVM_GET_SREGS, sregs);
      MemorySegment cs = kvm_sregs.cs(sregs);
      kvm_segment.base(cs, base);
      kvm_segment.selector(cs, (short) (base >> 4));
      for (MemorySegment data :
          List.of(
              kvm_sregs.ds(sregs),
              kvm_sregs.es(sregs),
              kvm_sregs.fs(sregs),
              kvm_sregs.gs(sregs),
              kvm_sregs.ss(sregs))) {
        kvm_segment.base(data, 0);
        kvm_segment.selector(data, (short) 0);
        kvm_segment.limit(data, -1);
        kvm_segment.g(data, (byte) 1);
      }
      fd.ioctl(KvmIoctls.KVM_SET_SREGS, sregs);
    }
    setRegisters(GeneralRegisters.at(gpa - base));
  }

  /**
   * Runs the guest until it leaves for the first time.
   *
   * @see #run(Duration, BooleanSupplier, Predicate)
   */
  public Exit run(Duration deadline) {
    return run(deadline, _ -> false);
  }

  /**
   * Runs the guest until an exit that ends the run.
   *
   * @see #run(Duration, BooleanSupplier, Predicate)
   */
  public Exit run(Duration deadline, Predicate<Exit> goesOn) {
    return run(Optional.of(deadline), Optional.empty(), goesOn);
  }

  /**
   * Runs the guest, however long it takes, until an exit that ends the run, or {@link #stop}.
   *
   * @see #run(Duration, BooleanSupplier, Predicate)
   */
  public Exit run(Predicate<Exit> goesOn) {
    return run(Optional.empty(), Optional.empty(), goesOn);
  }

  /**
   * Runs the guest, again after each exit, until an exit that ends the run. An exit for port I/O,
   * MMIO, a hypercall or an MSR costs no allocation and nothing for the deadline.
   *
   * <p>KVM_RUN, virt/kvm/kvm_main.c:kvm_vcpu_ioctl, arch/x86/kvm/x86.c: kvm_arch_vcpu_ioctl_run. A
   * signal that was not the deadline's is no reason to stop, nor is it EAGAIN, with which KVM_RUN
   * returns when a processor that waited for it got INIT or SIPI.
   *
   * @param deadline how long the run may take, with the time that {@code goesOn} takes
   * @param stop whether to end the run, as when the process is to end. It is asked first, and then
   *     ten times a second by another thread. For a thread that knows the vCPU, {@link #stop} is
   *     faster
   * @param goesOn handles an exit and says whether the guest goes on; what it throws ends the run
   * @return the exit that ended the run; a view of kvm_run is valid until the next run
   * @throws GuestDeadlineException if the guest is still running at the deadline. It has been
   *     stopped and can be run again
   * @throws GuestStoppedException if {@code stop} says so, or after {@link #stop}; the guest can be
   *     run again
   * @throws KernelException EFAULT, EHWPOISON: the guest's memory can't be reached (those that come
   *     with an explanation are an {@link Exit.MemoryFault}); EIO: the VM is dead, or belongs to
   *     another process, or under a proposal the guest touched a dma-buf that is revoked; EINVAL: a
   *     trust domain is not finalized; EBUSY: the sending of signals is taken
   * @throws IllegalStateException if it runs already or is closed, if the slot with the code is
   *     deleted, or on a virtual thread
   */
  public Exit run(Duration deadline, BooleanSupplier stop, Predicate<Exit> goesOn) {
    return run(Optional.of(deadline), Optional.of(stop), goesOn);
  }

  private Exit run(
      Optional<Duration> deadline, Optional<BooleanSupplier> stop, Predicate<Exit> goesOn) {
    if (busy.isHeldByCurrentThread() || !busy.tryLock()) {
      throw new IllegalStateException(this + " runs already: it is one processor");
    }
    try {
      return runAlone(deadline, stop, goesOn);
    } finally {
      busy.unlock();
    }
  }

  private Exit runAlone(
      Optional<Duration> deadline, Optional<BooleanSupplier> stop, Predicate<Exit> goesOn) {
    if (fd.isClosed()) {
      throw new IllegalStateException(this + " is closed");
    }
    if (code.filter(slot -> !slot.exists()).isPresent()) {
      throw new IllegalStateException(
          code.get() + ", which has the code of " + this + ", is deleted");
    }
    if (Thread.currentThread().isVirtual()) {
      throw new IllegalStateException("a vCPU is run by a platform thread: KVM ties it to one");
    }
    if (stop.filter(BooleanSupplier::getAsBoolean).isPresent()) {
      throw new GuestStoppedException(toString());
    }
    long exits = 0;
    try (Watchdog.Watch watch = watchdog.watch(deadline, stop)) {
      while (true) {
        int result = fd.tryIoctl(KvmIoctls.KVM_RUN, 0);
        if (result == Errno.EINTR.negated() || result == Errno.EAGAIN.negated()) {
          if (watch.expired()) {
            throw new GuestDeadlineException(
                toString(), deadline.orElse(Duration.ZERO), exits, where());
          }
          if (watch.stopped()) {
            throw new GuestStoppedException(toString());
          }
          continue;
        }
        Exit exit = result == 0 ? decoder.decode() : failed(result);
        if (!goesOn.test(exit)) {
          return exit;
        }
        exits++;
      }
    }
  }

  /**
   * Ends the run that is under way, which throws {@link GuestStoppedException}; if there is none,
   * the next one ends before it enters the guest. What an exit was answered with has reached the
   * guest by then. Any thread may call this, and the guest can't escape it: not by a loop with
   * interrupts off, nor by a halt.
   *
   * @throws IllegalStateException if it is closed
   */
  public void stop() {
    if (fd.isClosed()) {
      throw new IllegalStateException(this + " is closed");
    }
    watchdog.stop();
  }

  /**
   * Makes the guest's page table entries of a range in advance, so that it does not fault there.
   *
   * <p>KVM_PRE_FAULT_MEMORY, since Linux 6.11, virt/kvm/kvm_main.c:kvm_vcpu_pre_fault_memory. The
   * kernel does as much of it as it can at a time, and is asked again for the rest.
   *
   * @param gpa the first address, a multiple of the page size; what is private by its attribute is
   *     mapped as private memory
   * @param bytes the length, a multiple of the page size, more than 0
   * @throws KernelException ENOENT: no slot is there, at an address that is in the message;
   *     EOPNOTSUPP: too early, before a confidential VM is finalized; EINVAL: not aligned; EIO:
   *     what backs the range can't be reached
   */
  public void preFault(long gpa, long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment range = kvm_pre_fault_memory.allocate(arena);
      kvm_pre_fault_memory.gpa(range, gpa);
      kvm_pre_fault_memory.size(range, bytes);
      do {
        long before = kvm_pre_fault_memory.size(range);
        int result = fd.ioctl(KvmIoctls.KVM_PRE_FAULT_MEMORY, range, Errno.EAGAIN);
        if (result == 0 && kvm_pre_fault_memory.size(range) == before) {
          throw fd.malformed(KvmIoctls.KVM_PRE_FAULT_MEMORY, range, result, ", and mapped nothing");
        }
      } while (kvm_pre_fault_memory.size(range) != 0);
    }
  }

  /** Its XSAVE area and XCR0. */
  public ExtendedState extendedState() {
    return new ExtendedState(fd, xsaveBytes);
  }

  /** Interrupts and exceptions for its guest. */
  public VcpuInjection injection() {
    return new VcpuInjection(fd);
  }

  /** Debugging of its guest. */
  public VcpuDebug debug() {
    return new VcpuDebug(fd);
  }

  /** Its time stamp counter and its guest's clock. */
  public VcpuClock clock() {
    return new VcpuClock(fd);
  }

  /** Its registers by name. */
  public OneRegisters oneRegisters() {
    return new OneRegisters(fd);
  }

  /** The task priority of its local APIC. */
  public TaskPriority taskPriority() {
    return new TaskPriority(fd);
  }

  /** Its attributes, in the group KVM_VCPU_TSC_CTRL. */
  public DeviceAttributes attributes() {
    return DeviceAttributes.ofVcpu(fd);
  }

  /**
   * What CPUID answers to a guest of this vCPU that uses Hyper-V's interface.
   *
   * <p>KVM_GET_SUPPORTED_HV_CPUID on the vCPU, since Linux 5.0,
   * arch/x86/kvm/hyperv.c:kvm_get_hv_cpuid. See {@link dev.iolite.kvm.Kvm#supportedHyperVCpuid}.
   *
   * @throws KernelException EINVAL: the kernel has no CONFIG_KVM_HYPERV
   */
  public List<CpuidEntry> supportedHyperVCpuid() {
    return CpuidCall.get(fd, KvmIoctls.KVM_GET_SUPPORTED_HV_CPUID_ON_VCPU);
  }

  /** Xen's interface to its guest. */
  public XenVcpu xen() {
    return new XenVcpu(fd);
  }

  /** The virtual machines of its guest. */
  public NestedVirtualization nested() {
    return new NestedVirtualization(fd);
  }

  /**
   * Enables a capability for the vCPU.
   *
   * <p>KVM_ENABLE_CAP on the vCPU, arch/x86/kvm/x86.c:kvm_vcpu_ioctl_enable_cap.
   *
   * @param args up to four numbers, as the capability defines them
   * @throws KernelException EINVAL: the capability cannot be enabled for a vCPU, or does not accept
   *     an argument; ENOTTY: it is of another make of processor
   */
  public void enable(Capability capability, long... args) {
    try (Arena arena = Arena.ofConfined()) {
      fd.ioctl(KvmIoctls.KVM_ENABLE_CAP_ON_VCPU, capability.enabled(arena, args));
    }
  }

  /**
   * Sets which signals reach the thread while it runs the guest, in place of the thread's own mask.
   * {@link Kernel#INTERRUPTION} always does: the deadline of {@link #run} and {@link #stop} need
   * it.
   *
   * <p>KVM_SET_SIGNAL_MASK, virt/kvm/kvm_main.c:kvm_vcpu_ioctl_set_sigmask.
   *
   * @param blocked a bit for each signal that does not, signal 1 in bit 0; empty for the thread's
   *     own mask
   */
  public void setSignalMask(OptionalLong blocked) {
    if (blocked.isEmpty()) {
      Ioctl command = KvmIoctls.KVM_SET_SIGNAL_MASK;
      int result = fd.kernel().ioctl(fd.number(), command.number(), 0);
      if (result < 0) {
        throw new KernelException(command.name(), fd.target(), "0", -result);
      }
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mask = arena.allocate(kvm_signal_mask.sizeof() + Long.BYTES, Long.BYTES);
      kvm_signal_mask.len(mask, Long.BYTES);
      mask.set(
          ValueLayout.JAVA_LONG_UNALIGNED,
          kvm_signal_mask.sizeof(),
          blocked.getAsLong() & ~ALWAYS_ADMITTED);
      fd.ioctl(KvmIoctls.KVM_SET_SIGNAL_MASK, mask);
    }
  }

  /**
   * Maps the ring of the pages that it writes. Close it before the vCPU. A ring that is mapped
   * again after it was closed goes on where it was.
   *
   * <p>virt/kvm/kvm_main.c:kvm_vcpu_fault.
   *
   * @throws IllegalStateException if {@link VmDirtyLog#enableRings} was not called before the vCPU
   *     was made, or the ring is mapped already
   * @throws KernelException what mmap(2) said
   */
  public DirtyRing dirtyRing() {
    if (dirtyRingBytes == 0) {
      throw new IllegalStateException(
          this + " has no ring of dirty pages: enable the rings before the vCPU is made");
    }
    if (dirtyRing.filter(ring -> !ring.isClosed()).isPresent()) {
      throw new IllegalStateException(
          "the ring of dirty pages of " + this + " is mapped already: close that DirtyRing first");
    }
    DirtyRing mapped =
        DirtyRing.of(fd, dirtyRingBytes, dirtyRing.map(DirtyRing::harvested).orElse(0L));
    dirtyRing = Optional.of(mapped);
    return mapped;
  }

  /**
   * The ring of the VM's coalesced writes.
   *
   * <p>KVM_CAP_COALESCED_MMIO, virt/kvm/kvm_main.c:kvm_vcpu_fault.
   */
  public CoalescedRing coalescedRing() {
    return new CoalescedRing(
        run.segment().asSlice(Kvm.KVM_COALESCED_MMIO_PAGE_OFFSET() * Page.BYTES, Page.BYTES));
  }

  /**
   * Opens what KVM counts for the vCPU.
   *
   * <p>KVM_GET_STATS_FD, since Linux 5.14, virt/kvm/kvm_main.c:kvm_vcpu_ioctl_get_stats_fd. The
   * statistics stay open when the vCPU is closed.
   */
  public Statistics statistics() {
    try (CloseStack opening = new CloseStack()) {
      Fd file =
          opening.push(fd.ioctlFd(KvmIoctls.KVM_GET_STATS_FD_ON_VCPU, 0, "statistics of " + fd));
      Statistics made = Statistics.of(file);
      opening.release();
      return made;
    }
  }

  /** What a failed run means: an exit if the kernel explained it, else an exception. */
  private Exit failed(int result) {
    boolean memory = result == Errno.EFAULT.negated() || result == Errno.EHWPOISON.negated();
    if (memory && kvm_run.exit_reason(run.segment()) == Kvm.KVM_EXIT_MEMORY_FAULT()) {
      Exit exit = decoder.decode();
      // So that a later failure without an explanation is not taken for this one.
      kvm_run.exit_reason(run.segment(), Kvm.KVM_EXIT_UNKNOWN());
      return exit;
    }
    throw new KernelException(KvmIoctls.KVM_RUN.name(), fd.target(), "", -result);
  }

  private String where() {
    try {
      return "rip=0x" + Long.toHexString(registers().rip());
    } catch (KernelException e) {
      return "an address that is hidden from the host";
    }
  }

  /**
   * Unmaps kvm_run and closes the descriptor, once; what failed of it is tried again. The thread
   * that runs it may close it between two exits, after which the run can only end.
   *
   * @throws IllegalStateException if another thread runs it; nothing was closed then
   */
  @Override
  public void close() {
    if (!busy.tryLock()) {
      throw new IllegalStateException(
          this + " can't be closed while it runs; close it when its run has returned");
    }
    try {
      closeAlone();
    } finally {
      busy.unlock();
    }
  }

  private void closeAlone() {
    CloseStack all = new CloseStack();
    all.push(fd);
    all.push(run);
    all.push(watchdog);
    all.close();
    onClose.accept(this);
  }

  @Override
  public String toString() {
    return fd.toString();
  }
}
