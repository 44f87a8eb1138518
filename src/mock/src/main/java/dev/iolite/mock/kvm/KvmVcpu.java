package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_pre_fault_memory;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.kvm.kvm_sregs;
import dev.iolite.uapi.kvm.kvm_sync_regs;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.Set;

/** A vCPU (struct kvm_vcpu). It lives as long as its VM. */
final class KvmVcpu {
  private static final int STEPS_BETWEEN_YIELDS = 64;
  private static final long CR8_MOST = 15;
  private static final Set<Integer> WAITING =
      Set.of(
          Kvm.KVM_MP_STATE_UNINITIALIZED(),
          Kvm.KVM_MP_STATE_HALTED(),
          Kvm.KVM_MP_STATE_AP_RESET_HOLD(),
          Kvm.KVM_MP_STATE_INIT_RECEIVED(),
          Kvm.KVM_MP_STATE_SIPI_RECEIVED());
  private static final long MILLION = 1_000_000;

  /** arch/x86/kvm/x86.c: tsc_tolerance_ppm. */
  private static final long TSC_TOLERANCE_PPM = 250;

  private final KvmVm vm;
  private final int id;
  private final KvmRun run;
  private final CpuState cpu;
  private final VcpuCpuid cpuid;
  private final GuestMemory memory;
  private final Guest guest;

  private final GuestEvents events;
  private final PendingEvents pending;
  private final DebugState debug = new DebugState();
  private final FpuArea fpu;
  private final MachineChecks machineChecks;
  private final VcpuMsrs msrs;
  private final TimeStampCounter tsc = new TimeStampCounter();
  private final LocalApic apic;
  private final NestedSvm nested;
  private final Optional<VcpuDirtyRing> dirtyRing;
  private final ExitCounts counts = new ExitCounts();

  private int tscKhz;
  private boolean hasRun;
  private boolean blocksInterruption;

  /** Whether a call on the vCPU is in progress (vcpu->mutex). */
  private boolean busy;

  /** KVM_MP_STATE_RUNNABLE, or one in which it waits for an interrupt or a SIPI. */
  private int mpState;

  /** Whether the guest has exited and waits for the answer of its VM's owner. */
  private boolean answerWaits;

  /** arch/x86/kvm/x86.c:kvm_arch_vcpu_create. */
  KvmVcpu(KvmVm vm, int id, boolean boot) {
    this.vm = vm;
    this.id = id;
    run = new KvmRun(vm.task().newRam(KvmFile.VCPU_MMAP_BYTES));
    cpu = new CpuState(boot);
    cpuid = new VcpuCpuid(vm, cpu);
    tscKhz = vm.settings().tscKhz();
    events = new GuestEvents(vm);
    fpu = new FpuArea(cpuid);
    machineChecks = new MachineChecks(cpu, events);
    msrs = new VcpuMsrs(this);
    apic = new LocalApic(this, boot);
    pending = new PendingEvents(cpu, events, apic);
    nested = new NestedSvm(vm);
    int ringBytes = vm.dirtyRings().bytes();
    dirtyRing =
        ringBytes == 0
            ? Optional.empty()
            : Optional.of(
                new VcpuDirtyRing(vm.task().newRam(ringBytes), vm.dirtyRings().reserved()));
    memory = new GuestMemory(vm, run, dirtyRing);
    mpState =
        boot || !vm.hasIrqchip() ? Kvm.KVM_MP_STATE_RUNNABLE() : Kvm.KVM_MP_STATE_UNINITIALIZED();
    guest = guest();
  }

  /** Its script; without one, machine code, unless nobody could load any. */
  private Guest guest() {
    Optional<GuestScript> script = vm.host().scripts().of(vm, id);
    if (script.isPresent()) {
      return new ScriptedGuest(this, script.get());
    }
    return vm.hasProtectedState()
        ? new ScriptedGuest(this, GuestScript.builder().build())
        : new RealModeGuest(this);
  }

  KvmVm vm() {
    return vm;
  }

  int id() {
    return id;
  }

  KvmRun run() {
    return run;
  }

  CpuState cpu() {
    return cpu;
  }

  VcpuCpuid cpuid() {
    return cpuid;
  }

  GuestEvents events() {
    return events;
  }

  DebugState debug() {
    return debug;
  }

  FpuArea fpu() {
    return fpu;
  }

  MachineChecks machineChecks() {
    return machineChecks;
  }

  VcpuMsrs msrs() {
    return msrs;
  }

  TimeStampCounter tsc() {
    return tsc;
  }

  LocalApic apic() {
    return apic;
  }

  NestedSvm nested() {
    return nested;
  }

  /** Its ring of dirty pages; empty if the VM has bitmaps. */
  Optional<VcpuDirtyRing> dirtyRing() {
    return dirtyRing;
  }

  ExitCounts counts() {
    return counts;
  }

  /** Whether its guest has been entered (last_vmentry_cpu). */
  boolean hasRun() {
    return hasRun;
  }

  /** KVM_GET_TSC_KHZ. */
  int tscKhz() {
    return tscKhz;
  }

  /**
   * KVM_SET_TSC_KHZ; 0 is the machine's own. KVM catches up with a faster counter. A slower one is
   * EINVAL, although KVM reports it from then on (arch/x86/kvm/x86.c:kvm_set_tsc_khz, set_tsc_khz).
   */
  void setTscKhz(int khz) {
    refuseIf(vm.hasProtectedTsc(), Errno.EINVAL);
    tscKhz = khz == 0 ? KvmPlatform.TSC_KHZ : khz;
    long slowest = (long) KvmPlatform.TSC_KHZ * (MILLION - TSC_TOLERANCE_PPM) / MILLION;
    refuseIf(Integer.toUnsignedLong(tscKhz) < slowest, Errno.EINVAL);
  }

  GuestMemory memory() {
    return memory;
  }

  /** Waits until no other thread is in a call on this vCPU, and keeps others out. */
  void lock() {
    Task task = vm.task();
    if (busy) {
      task.await(() -> !busy);
    }
    busy = true;
  }

  boolean isBusy() {
    return busy;
  }

  void unlock() {
    busy = false;
    vm.task().wake();
  }

  int mpState() {
    return mpState;
  }

  /**
   * arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl_set_mpstate. A SIPI that was received starts the
   * processor (arch/x86/kvm/lapic.c:kvm_apic_accept_events); in the model, no other does.
   */
  void setMpState(int state) {
    boolean waits = WAITING.contains(state);
    refuseIf(!waits && state != Kvm.KVM_MP_STATE_RUNNABLE(), Errno.EINVAL);
    refuseIf(waits && !vm.hasIrqchip(), Errno.EINVAL);
    mpState = state;
    if (state == Kvm.KVM_MP_STATE_SIPI_RECEIVED()) {
      cpu.loadSegment(CpuState.CS, 0);
      cpu.rip = 0;
      mpState = Kvm.KVM_MP_STATE_RUNNABLE();
    }
  }

  /**
   * HLT; arch/x86/kvm/x86.c:__kvm_emulate_halt. If it does not leave the guest
   * (arch/x86/kvm/svm/svm.c:init_vmcb), an AMD processor halts until any interrupt of the host, and
   * then the guest goes on.
   *
   * @return false: the guest exits
   */
  boolean halt() {
    if (vm.settings().haltsInGuest()) {
      return true;
    }
    if (!vm.hasIrqchip()) {
      run.reason(Kvm.KVM_EXIT_HLT());
      return false;
    }
    mpState = Kvm.KVM_MP_STATE_HALTED();
    return true;
  }

  /** KVM_SET_SIGNAL_MASK: whether {@link Kernel#INTERRUPTION} waits until KVM_RUN returns. */
  void setBlocksInterruption(boolean blocks) {
    blocksInterruption = blocks;
  }

  /** KVM_RUN; virt/kvm/kvm_main.c:kvm_sigset_activate. */
  void runGuest() {
    Task task = vm.task();
    task.block(blocksInterruption);
    try {
      runMasked();
    } finally {
      task.block(false);
    }
  }

  /** arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl_run. */
  private void runMasked() {
    MemorySegment shared = run.segment();
    boolean wantsToRun = !run.immediateExit();
    kvm_run.flags(shared, (short) 0);
    try {
      if (mpState == Kvm.KVM_MP_STATE_UNINITIALIZED()) {
        refuseIf(!wantsToRun, Errno.EINTR);
        block();
      }
      long known = vm.hasProtectedState() ? 0 : KvmCapabilities.SYNC_REGS;
      long dirty = kvm_run.kvm_dirty_regs(shared);
      refuseIf(((kvm_run.kvm_valid_regs(shared) | dirty) & ~known) != 0, Errno.EINVAL);
      takeRegisters(shared, dirty);
      if (!vm.hasIrqchip()) {
        refuseIf(Long.compareUnsigned(kvm_run.cr8(shared), CR8_MOST) > 0, Errno.EINVAL);
      }
      if (answerWaits) {
        answerWaits = false;
        if (!guest.complete()) {
          answerWaits = true;
          return;
        }
      }
      refuseIf(!wantsToRun, Errno.EINTR);
      if (!vm.vendor().mayEnter(this)) {
        return;
      }
      run.reason(Kvm.KVM_EXIT_UNKNOWN());
      answerWaits = !enter();
    } finally {
      giveRegisters(shared);
    }
  }

  /**
   * arch/x86/kvm/x86.c:vcpu_block: an event ends it, if the processor halts, or a signal. A
   * processor that was never started waits for a SIPI, which the model does not have.
   */
  private void block() {
    boolean halts =
        mpState == Kvm.KVM_MP_STATE_HALTED() || mpState == Kvm.KVM_MP_STATE_AP_RESET_HOLD();
    try {
      vm.task().await(() -> vm.isDead() || (halts && pending.wakesFromHalt()));
    } catch (Refused e) {
      run.reason(Kvm.KVM_EXIT_INTR());
      throw e;
    }
    refuseIf(vm.isDead(), Errno.EIO);
    mpState = Kvm.KVM_MP_STATE_RUNNABLE();
  }

  /** arch/x86/kvm/x86.c:vcpu_run. Always ends with a guest exit. */
  private boolean enter() {
    Task task = vm.task();
    try {
      for (int steps = 1; ; steps++) {
        if (mpState != Kvm.KVM_MP_STATE_RUNNABLE()) {
          block();
        }
        if (leavesBeforeEntry()) {
          return false;
        }
        hasRun = true;
        int vector = pending.take();
        if (vector >= 0 && !guest.deliver(vector)) {
          counts.exited(run.reason());
          return false;
        }
        boolean goesOn = guest.step();
        events.endShadow();
        if (!goesOn) {
          counts.exited(run.reason());
          return false;
        }
        if (debug.isStepped()) {
          run.debug(cpu.base(CpuState.CS) + cpu.rip, debug.dr7());
          counts.exited(run.reason());
          return false;
        }
        if (steps % STEPS_BETWEEN_YIELDS == 0) {
          task.yieldLock();
          refuseIf(vm.isDead(), Errno.EIO);
        }
      }
    } catch (Refused e) {
      if (e.errno() == Errno.EINTR) {
        run.reason(Kvm.KVM_EXIT_INTR());
      }
      throw e;
    }
  }

  /** arch/x86/kvm/x86.c:vcpu_enter_guest: a triple fault, or no room in the ring of dirty pages. */
  private boolean leavesBeforeEntry() {
    if (events.takeTripleFault()) {
      run.reason(Kvm.KVM_EXIT_SHUTDOWN());
      return true;
    }
    if (dirtyRing.isPresent() && dirtyRing.get().isFull()) {
      run.reason(Kvm.KVM_EXIT_DIRTY_RING_FULL());
      return true;
    }
    return false;
  }

  /**
   * virt/kvm/kvm_main.c:kvm_vcpu_pre_fault_memory. Leaves in the struct what remains to be done.
   */
  void preFault(MemorySegment range) {
    long gpa = kvm_pre_fault_memory.gpa(range);
    long bytes = kvm_pre_fault_memory.size(range);
    refuseIf(kvm_pre_fault_memory.flags(range) != 0, Errno.EINVAL);
    refuseIf(((gpa | bytes) & (Page.BYTES - 1)) != 0, Errno.EINVAL);
    refuseIf(Long.compareUnsigned(gpa + bytes, gpa) <= 0, Errno.EINVAL);
    long done = 0;
    try {
      for (; done != bytes; done += Page.BYTES) {
        refuseIf(!vm.vendor().preFaultAllowed(), Errno.EOPNOTSUPP);
        refuseIf(((gpa + done) >>> 12 & vm.aliasPages()) != 0, Errno.EINVAL);
        memory.preFault(gpa + done);
      }
    } catch (Refused e) {
      if (done == 0) {
        throw e;
      }
    }
    kvm_pre_fault_memory.gpa(range, gpa + done);
    kvm_pre_fault_memory.size(range, bytes - done);
  }

  /** Whether the host can no longer see the registers (guest_state_protected). */
  boolean stateIsProtected() {
    return vm.hasProtectedState() && vm.vendor().hidesRegisters(this);
  }

  /** arch/x86/kvm/x86.c:sync_regs. */
  private void takeRegisters(MemorySegment shared, long dirty) {
    if (dirty == 0) {
      return;
    }
    MemorySegment registers = kvm_sync_regs.regs(kvm_run.s(shared));
    if ((dirty & Kvm.KVM_SYNC_X86_REGS()) != 0) {
      cpu.load(registers);
    }
    if ((dirty & Kvm.KVM_SYNC_X86_SREGS()) != 0) {
      VcpuRegisters.load(this, kvm_sync_regs.sregs(kvm_run.s(shared)));
    }
    if ((dirty & Kvm.KVM_SYNC_X86_EVENTS()) != 0) {
      events.load(kvm_sync_regs.events(kvm_run.s(shared)));
    }
    kvm_run.kvm_dirty_regs(shared, 0);
  }

  /** arch/x86/kvm/x86.c:store_regs, post_kvm_run_save. */
  private void giveRegisters(MemorySegment shared) {
    long valid = stateIsProtected() ? 0 : kvm_run.kvm_valid_regs(shared);
    if ((valid & Kvm.KVM_SYNC_X86_REGS()) != 0) {
      cpu.store(kvm_sync_regs.regs(kvm_run.s(shared)));
    }
    if ((valid & Kvm.KVM_SYNC_X86_SREGS()) != 0) {
      VcpuRegisters.store(this, kvm_sync_regs.sregs(kvm_run.s(shared)));
    }
    if ((valid & Kvm.KVM_SYNC_X86_EVENTS()) != 0) {
      events.store(kvm_sync_regs.events(kvm_run.s(shared)));
    }
    boolean interrupts = cpu.flag(CpuState.INTERRUPTS);
    kvm_run.if_flag(shared, (byte) (interrupts ? 1 : 0));
    kvm_run.ready_for_interrupt_injection(shared, (byte) (interrupts ? 1 : 0));
    kvm_run.apic_base(shared, kvm_sregs.apic_base(cpu.special()));
  }

  /** Called when the VM goes away: nobody can reach the vCPU any more. */
  void destroy() {
    run.pages().put();
    dirtyRing.ifPresent(ring -> ring.pages().put());
  }
}
