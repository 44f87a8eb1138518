package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_cpuid2;
import dev.iolite.uapi.kvm.kvm_tdx_cmd;
import dev.iolite.uapi.kvm.kvm_tdx_init_mem_region;
import dev.iolite.uapi.kvm.kvm_tdx_init_vm;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Set;

/** A trust domain and its launch; arch/x86/kvm/vmx/tdx.c. */
final class TdxVm implements Protection {
  private static final long ATTRIBUTE_DEBUG = 1;
  private static final int MOST_CPUID_ENTRIES = 256;

  /** arch/x86/kvm/vmx/tdx_errno.h: the part of a SEAMCALL's result that says what went wrong. */
  private static final long STATUS = 0xffff_ffff_0000_0000L;

  private static final long OPERAND_BUSY = 0x8000_0200_0000_0000L;
  private static final long OPERAND_INVALID = 0xc000_0100_0000_0000L;
  private static final long NO_ENTROPY = 0x8000_0203_0000_0000L;

  private enum State {
    UNINITIALIZED,
    INITIALIZED,
    RUNNABLE
  }

  private final KvmVm vm;
  private State state = State.UNINITIALIZED;
  private long attributes;
  private long sharedPageBit;
  private int addressBits;

  /** What its owner configured of its CPUID. */
  private CpuidEntries configured = CpuidEntries.allocate(0);

  /** The vCPUs that KVM_TDX_INIT_VCPU has been made on. */
  private final Set<KvmVcpu> initialized = new HashSet<>();

  /** The private pages that were added before the domain was finalized. */
  private final Set<Long> added = new HashSet<>();

  TdxVm(KvmVm vm) {
    this.vm = vm;
  }

  private Task task() {
    return vm.task();
  }

  /** arch/x86/kvm/vmx/tdx.c:tdx_get_cmd. */
  private MemorySegment commandAt(long argument) {
    MemorySegment command = task().in(argument, kvm_tdx_cmd.sizeof());
    refuseIf(kvm_tdx_cmd.hw_error(command) != 0, Errno.EINVAL);
    return command;
  }

  /** arch/x86/kvm/vmx/tdx.c:tdx_vm_ioctl. */
  @Override
  public void command(long argument) {
    MemorySegment command = commandAt(argument);
    int id = kvm_tdx_cmd.id(command);
    if (id == Kvm.KVM_TDX_CAPABILITIES()) {
      refuseIf(kvm_tdx_cmd.flags(command) != 0, Errno.EINVAL);
      TdxCpuid.capabilities(vm, kvm_tdx_cmd.data(command));
      return;
    }
    vm.awaitIdleVcpus();
    // During the wait, another call may have used the scratch memory.
    command = commandAt(argument);
    try {
      if (id == Kvm.KVM_TDX_INIT_VM()) {
        initialize(command);
      } else if (id == Kvm.KVM_TDX_FINALIZE_VM()) {
        finalizeVm(command);
      }
    } finally {
      if (id == Kvm.KVM_TDX_INIT_VM() || id == Kvm.KVM_TDX_FINALIZE_VM()) {
        task().out(argument, command);
      }
    }
    refuseIf(id != Kvm.KVM_TDX_INIT_VM() && id != Kvm.KVM_TDX_FINALIZE_VM(), Errno.EINVAL);
  }

  /** arch/x86/kvm/vmx/tdx.c:tdx_td_init, setup_tdparams, __tdx_td_init. */
  private void initialize(MemorySegment command) {
    refuseIf(state != State.UNINITIALIZED, Errno.EINVAL);
    refuseIf(kvm_tdx_cmd.flags(command) != 0, Errno.EINVAL);
    long data = kvm_tdx_cmd.data(command);
    MemorySegment head = task().in(data, kvm_tdx_init_vm.sizeof());
    MemorySegment cpuid = kvm_tdx_init_vm.cpuid(head);
    int entries = kvm_cpuid2.nent(cpuid);
    refuseIf(Integer.compareUnsigned(entries, MOST_CPUID_ENTRIES) > 0, Errno.E2BIG);
    CpuidEntries leaves = TdxCpuid.read(task(), data + kvm_tdx_init_vm.sizeof(), entries);
    MemorySegment reserved = kvm_tdx_init_vm.reserved(head);
    refuseIf(reserved.mismatch(task().scratch(reserved.byteSize())) != -1, Errno.EINVAL);
    refuseIf(kvm_cpuid2.padding(cpuid) != 0, Errno.EINVAL);
    refuseIf(vm.hasVcpus(), Errno.EBUSY);
    refuseIf(
        (kvm_tdx_init_vm.attributes(head) & ~TdxCpuid.SUPPORTED_ATTRIBUTES) != 0, Errno.EINVAL);
    refuseIf((kvm_tdx_init_vm.xfam(head) & ~TdxCpuid.SUPPORTED_XFAM) != 0, Errno.EINVAL);
    int bits = TdxCpuid.guestAddressBits(leaves);
    TdxCpuid.requireConfigurable(leaves);
    create();
    callInit(command, TdxCpuid.hasFixedBits(leaves) ? OPERAND_INVALID : 0);
    configured = leaves;
    addressBits = bits;
    attributes = kvm_tdx_init_vm.attributes(head);
    sharedPageBit = 1L << (bits - 1 - 12);
    state = State.INITIALIZED;
  }

  /** TDH.MNG.CREATE: if there is no entropy for the key, the caller can try again. */
  private void create() {
    long error = vm.host().firmware().result("TDH_MNG_CREATE");
    refuseIf(error == NO_ENTROPY, Errno.EAGAIN);
    requireDone(error);
  }

  /**
   * TDH.MNG.INIT: only an operand that it reports as invalid is the caller's fault.
   *
   * @param judgement what the module says to the operands
   */
  private void callInit(MemorySegment command, long judgement) {
    long said = vm.host().firmware().result("TDH_MNG_INIT");
    long error = said == 0 ? judgement : said;
    if ((error & STATUS) == OPERAND_INVALID) {
      kvm_tdx_cmd.hw_error(command, error);
      throw refused(Errno.EINVAL);
    }
    requireDone(error);
  }

  /** TDX_BUG_ON: the VM can no longer be used. */
  private void requireDone(long error) {
    if (error != 0) {
      vm.die();
      throw refused(Errno.EIO);
    }
  }

  /** A SEAMCALL whose failure the VM does not survive. */
  private void call(String name) {
    requireDone(vm.host().firmware().result(name));
  }

  /** arch/x86/kvm/vmx/tdx.c:tdx_td_finalize. */
  private void finalizeVm(MemorySegment command) {
    refuseIf(state != State.INITIALIZED, Errno.EINVAL);
    long error = vm.host().firmware().result("TDH_MR_FINALIZE");
    kvm_tdx_cmd.hw_error(command, error);
    refuseIf((error & STATUS) == OPERAND_BUSY, Errno.EBUSY);
    requireDone(error);
    state = State.RUNNABLE;
  }

  /** arch/x86/kvm/vmx/tdx.c:tdx_vcpu_unlocked_ioctl, tdx_vcpu_ioctl. */
  @Override
  public void command(KvmVcpu vcpu, long argument) {
    MemorySegment command = commandAt(argument);
    refuseIf(state != State.INITIALIZED, Errno.EINVAL);
    int id = kvm_tdx_cmd.id(command);
    if (id == Kvm.KVM_TDX_INIT_MEM_REGION()) {
      addMemory(vcpu, command);
    } else if (id == Kvm.KVM_TDX_INIT_VCPU()) {
      initialize(vcpu, command);
    } else if (id == Kvm.KVM_TDX_GET_CPUID()) {
      TdxCpuid.get(task(), kvm_tdx_cmd.data(command), configured, addressBits);
    } else {
      throw refused(Errno.EINVAL);
    }
  }

  /**
   * arch/x86/kvm/vmx/tdx.c:tdx_vcpu_init, tdx_td_vcpu_init. The vCPU's CPUID must have x2APIC,
   * which its local APIC is put into (arch/x86/kvm/lapic.c:kvm_apic_set_base).
   */
  private void initialize(KvmVcpu vcpu, MemorySegment command) {
    refuseIf(kvm_tdx_cmd.flags(command) != 0, Errno.EINVAL);
    refuseIf(initialized.contains(vcpu), Errno.EINVAL);
    refuseIf(!vcpu.cpuid().has(CpuFeature.X2APIC), Errno.EINVAL);
    call("TDH_VP_CREATE");
    call("TDH_VP_ADDCX");
    call("TDH_VP_INIT");
    initialized.add(vcpu);
  }

  /** arch/x86/kvm/vmx/tdx.c:tdx_vcpu_init_mem_region. */
  private void addMemory(KvmVcpu vcpu, MemorySegment command) {
    refuseIf(!initialized.contains(vcpu), Errno.EINVAL);
    refuseIf(
        (kvm_tdx_cmd.flags(command) & ~Kvm.KVM_TDX_MEASURE_MEMORY_REGION()) != 0, Errno.EINVAL);
    long data = kvm_tdx_cmd.data(command);
    MemorySegment region = task().in(data, kvm_tdx_init_mem_region.sizeof());
    long source = kvm_tdx_init_mem_region.source_addr(region);
    long gpa = kvm_tdx_init_mem_region.gpa(region);
    long pages = kvm_tdx_init_mem_region.nr_pages(region);
    long bytes = pages << 12;
    refuseIf(
        source % Page.BYTES != 0
            || source == 0
            || gpa % Page.BYTES != 0
            || pages == 0
            || Long.compareUnsigned(gpa + bytes, gpa) <= 0
            || !isPrivate(gpa)
            || !isPrivate(gpa + bytes - 1),
        Errno.EINVAL);
    try {
      for (; pages != 0; pages--, source += Page.BYTES, gpa += Page.BYTES) {
        addPage(gpa, source, kvm_tdx_cmd.flags(command) != 0);
        kvm_tdx_init_mem_region.source_addr(region, source + Page.BYTES);
        kvm_tdx_init_mem_region.gpa(region, gpa + Page.BYTES);
        kvm_tdx_init_mem_region.nr_pages(region, pages - 1);
      }
    } finally {
      task().out(data, region);
    }
  }

  /** arch/x86/kvm/vmx/tdx.c:tdx_gmem_post_populate, tdx_mem_page_add. */
  private void addPage(long gpa, long source, boolean measured) {
    Population.addPage(vm, gpa, source, added, Errno.EIO);
    long error = vm.host().firmware().result("TDH_MEM_PAGE_ADD");
    if (error != 0) {
      added.remove(gpa);
    }
    refuseIf((error & STATUS) == OPERAND_BUSY, Errno.EBUSY);
    requireDone(error);
    if (measured) {
      call("TDH_MR_EXTEND");
    }
  }

  /** vt_is_tdx_private_gpa. */
  boolean isPrivate(long gpa) {
    return sharedPageBit != 0 && (gpa >>> 12 & sharedPageBit) == 0;
  }

  /** arch/x86/kvm/vmx/tdx.c:tdx_vcpu_create. */
  @Override
  public void beforeVcpu() {
    refuseIf(state != State.INITIALIZED, Errno.EIO);
    refuseIf(!vm.hasSplitIrqchip(), Errno.EINVAL);
  }

  @Override
  public boolean preFaultAllowed() {
    return state == State.RUNNABLE;
  }

  @Override
  public boolean hidesRegisters(KvmVcpu vcpu) {
    return (attributes & ATTRIBUTE_DEBUG) == 0;
  }

  /** arch/x86/kvm/vmx/tdx.c:tdx_vcpu_needs_initialization. */
  @Override
  public boolean mayEnter(KvmVcpu vcpu) {
    refuseIf(!initialized.contains(vcpu) || state != State.RUNNABLE, Errno.EINVAL);
    return true;
  }

  @Override
  public long sharedPageBit() {
    return sharedPageBit;
  }
}
