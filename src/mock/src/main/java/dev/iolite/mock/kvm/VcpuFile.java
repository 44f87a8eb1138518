package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.MapRequest;
import dev.iolite.mock.core.MappedObject;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_enable_cap;
import dev.iolite.uapi.kvm.kvm_mp_state;
import dev.iolite.uapi.kvm.kvm_pre_fault_memory;
import dev.iolite.uapi.kvm.kvm_regs;
import dev.iolite.uapi.kvm.kvm_sregs;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;

/** A vCPU's descriptor, which keeps the VM alive; virt/kvm/kvm_main.c:kvm_vcpu_ioctl. */
final class VcpuFile extends OpenFile {
  private static final int IOC_TYPE_SHIFT = 8;
  private static final long DIRTY_RING = Kvm.KVM_DIRTY_LOG_PAGE_OFFSET() * Page.BYTES;

  private final KvmVcpu vcpu;
  private final VcpuCalls calls;

  VcpuFile(KvmVcpu vcpu) {
    super(vcpu.vm().task());
    this.vcpu = vcpu;
    calls = new VcpuCalls(vcpu);
    vcpu.vm().getKvm();
  }

  @Override
  public String name() {
    return "anon_inode:kvm-vcpu:" + vcpu.id();
  }

  @Override
  public int ioctl(int request, long argument) {
    refuseIf(vcpu.vm().isDead(), Errno.EIO);
    refuseIf(((request >> IOC_TYPE_SHIFT) & 0xff) != Kvm.KVMIO(), Errno.EINVAL);
    vcpu.lock();
    try {
      return locked(request, argument);
    } finally {
      vcpu.unlock();
    }
  }

  private int locked(int request, long argument) {
    if (request == Kvm.KVM_RUN()) {
      refuseIf(argument != 0, Errno.EINVAL);
      vcpu.runGuest();
    } else if (request == (int) Kvm.KVM_GET_REGS()) {
      refuseProtected();
      MemorySegment regs = task().scratch(kvm_regs.sizeof());
      vcpu.cpu().store(regs);
      task().out(argument, regs);
    } else if (request == (int) Kvm.KVM_SET_REGS()) {
      MemorySegment regs = task().in(argument, kvm_regs.sizeof());
      refuseProtected();
      vcpu.cpu().load(regs);
    } else if (request == (int) Kvm.KVM_GET_SREGS()) {
      refuseProtected();
      MemorySegment sregs = task().scratch(kvm_sregs.sizeof());
      VcpuRegisters.store(vcpu, sregs);
      task().out(argument, sregs);
    } else if (request == (int) Kvm.KVM_SET_SREGS()) {
      MemorySegment sregs = task().in(argument, kvm_sregs.sizeof());
      refuseProtected();
      VcpuRegisters.load(vcpu, sregs);
    } else if (request == (int) Kvm.KVM_SET_CPUID2()) {
      vcpu.cpuid().set(argument, vcpu.hasRun());
    } else if (request == (int) Kvm.KVM_GET_CPUID2()) {
      vcpu.cpuid().get(argument);
    } else if (request == Kvm.KVM_SET_TSC_KHZ()) {
      vcpu.setTscKhz((int) argument);
    } else if (request == Kvm.KVM_GET_TSC_KHZ()) {
      return vcpu.tscKhz();
    } else if (request == (int) Kvm.KVM_ENABLE_CAP()) {
      enable(task().in(argument, kvm_enable_cap.sizeof()));
    } else if (request == (int) Kvm.KVM_PRE_FAULT_MEMORY()) {
      MemorySegment range = task().in(argument, kvm_pre_fault_memory.sizeof());
      try {
        vcpu.preFault(range);
      } finally {
        task().out(argument, range);
      }
    } else if (request == (int) Kvm.KVM_GET_MP_STATE()) {
      MemorySegment state = task().scratch(kvm_mp_state.sizeof());
      kvm_mp_state.mp_state(state, vcpu.mpState());
      task().out(argument, state);
    } else if (request == (int) Kvm.KVM_SET_MP_STATE()) {
      vcpu.setMpState(kvm_mp_state.mp_state(task().in(argument, kvm_mp_state.sizeof())));
    } else if (request == (int) Kvm.KVM_MEMORY_ENCRYPT_OP()) {
      vcpu.vm().vendor().command(vcpu, argument);
    } else if (request == Kvm.KVM_GET_STATS_FD()) {
      return vcpu.vm().host().install(StatisticsFile.of(vcpu));
    } else {
      return calls.make(request, argument);
    }
    return 0;
  }

  /**
   * arch/x86/kvm/x86.c:kvm_vcpu_ioctl_enable_cap, for the capabilities that the model has: guests
   * use no paravirtual feature anyway.
   */
  private void enable(MemorySegment argument) {
    int capability = kvm_enable_cap.cap(argument);
    refuseIf(kvm_enable_cap.flags(argument) != 0, Errno.EINVAL);
    boolean second = capability == Kvm.KVM_CAP_HYPERV_SYNIC2();
    if (second || capability == Kvm.KVM_CAP_HYPERV_SYNIC()) {
      refuseIf(second && kvm_enable_cap.args(argument, 0) != 0, Errno.EINVAL);
      refuseIf(!vcpu.vm().hasIrqchip(), Errno.EINVAL);
    } else {
      refuseIf(
          capability != Kvm.KVM_CAP_ENFORCE_PV_FEATURE_CPUID()
              && capability != Kvm.KVM_CAP_HYPERV_ENFORCE_CPUID(),
          Errno.EINVAL);
    }
  }

  private void refuseProtected() {
    refuseIf(vcpu.stateIsProtected(), Errno.EINVAL);
  }

  /**
   * virt/kvm/kvm_main.c:kvm_vcpu_mmap, kvm_vcpu_fault: beyond the three pages, an access raises
   * SIGBUS.
   */
  @Override
  public MappedObject mmap(MapRequest request) {
    // fs/libfs.c:init_pseudo: SB_I_NOEXEC
    refuseIf((request.protection() & Libc.PROT_EXEC()) != 0, Errno.EPERM);
    long last = request.offset() + request.bytes() - Page.BYTES;
    refuseIf(
        (request.flags() & Libc.MAP_SHARED()) == 0
            && (isInRing(request.offset()) || isInRing(last)),
        Errno.EINVAL);
    if (vcpu.dirtyRing().isPresent() && request.offset() >= DIRTY_RING) {
      return new MappedObject.Pages(vcpu.dirtyRing().get().pages(), request.offset() - DIRTY_RING);
    }
    return new MappedObject.Pages(vcpu.run().pages(), request.offset());
  }

  private boolean isInRing(long offset) {
    return vcpu.dirtyRing()
        .filter(ring -> offset >= DIRTY_RING && offset < DIRTY_RING + ring.pages().bytes())
        .isPresent();
  }

  /** noop_llseek. */
  @Override
  public long lseek(long offset, int whence) {
    return 0;
  }

  @Override
  protected void release() {
    vcpu.vm().putKvm();
  }
}
