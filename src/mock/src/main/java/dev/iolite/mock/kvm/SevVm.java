package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.kvm.kvm_sev_cmd;
import dev.iolite.uapi.kvm.kvm_sev_init;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** What all VMs on a machine with SEV have in common; arch/x86/kvm/svm/sev.c. */
final class SevVm implements Protection {
  private static final int LEAST_GHCB_VERSION = 1;
  private static final int MOST_GHCB_VERSION = 2;

  /** SVM_SEV_FEAT_DEBUG_SWAP. */
  static final long DEBUG_SWAP = 1 << 5;

  private final KvmVm vm;
  private final SevContext context = new SevContext();
  private final SevLaunch launch;
  private final SevTransfer transfer;
  private final SevDebug debug;
  private final SevSnpLaunch snp;
  private final SevRegions regions;

  /** The vCPUs whose registers are encrypted. */
  private final Set<KvmVcpu> encrypted = new HashSet<>();

  /** sev_vm_init. */
  SevVm(KvmVm vm) {
    this.vm = vm;
    context.needsInit =
        vm.type() != Kvm.KVM_X86_DEFAULT_VM() && vm.type() != Kvm.KVM_X86_SW_PROTECTED_VM();
    launch = new SevLaunch(vm, this);
    transfer = new SevTransfer(vm, this);
    debug = new SevDebug(vm, this);
    snp = new SevSnpLaunch(vm, this);
    regions = new SevRegions(vm.task());
  }

  private Task task() {
    return vm.task();
  }

  /** A VM's encryption, on a machine where every VM has one. */
  static SevVm of(KvmVm vm) {
    return (SevVm) vm.vendor();
  }

  KvmVm vm() {
    return vm;
  }

  /** What the VM shares with its mirrors, and what moves with it. */
  SevContext context() {
    return context;
  }

  /** sev_snp_guest. */
  boolean isSnp() {
    return context.active && context.snp;
  }

  /** The secure processor. */
  SevProcessor processor() {
    return vm.host().processor();
  }

  /** arch/x86/kvm/svm/sev.c:sev_mem_enc_ioctl. */
  @Override
  public void command(long argument) {
    if (argument == 0) {
      return;
    }
    int id = kvm_sev_cmd.id(task().in(argument, kvm_sev_cmd.sizeof()));
    if (id == Kvm.KVM_SEV_LAUNCH_UPDATE_VMSA() || id == Kvm.KVM_SEV_SNP_LAUNCH_FINISH()) {
      vm.awaitIdleVcpus();
    }
    // During the wait, another call may have used the scratch memory.
    MemorySegment command = task().in(argument, kvm_sev_cmd.sizeof());
    refuseIf(context.owner.isPresent() && !isForMirrors(id), Errno.EINVAL);
    refuseIf(
        isSnp() && Integer.compareUnsigned(id, Kvm.KVM_SEV_SNP_LAUNCH_START()) < 0, Errno.EPERM);
    Optional<Runnable> handler = handler(id, command);
    if (handler.isEmpty()) {
      throw refused(Errno.EINVAL);
    }
    try {
      handler.get().run();
    } finally {
      task().out(argument, command);
    }
  }

  /** is_cmd_allowed_from_mirror. */
  private static boolean isForMirrors(int id) {
    return id == Kvm.KVM_SEV_LAUNCH_UPDATE_VMSA()
        || id == Kvm.KVM_SEV_GUEST_STATUS()
        || id == Kvm.KVM_SEV_DBG_DECRYPT()
        || id == Kvm.KVM_SEV_DBG_ENCRYPT();
  }

  private Optional<Runnable> handler(int id, MemorySegment command) {
    if (id == Kvm.KVM_SEV_INIT() || id == Kvm.KVM_SEV_ES_INIT()) {
      return Optional.of(() -> initializeDefault(command));
    }
    if (id == Kvm.KVM_SEV_INIT2()) {
      return Optional.of(() -> initialize(command));
    }
    return launch
        .handler(id, command)
        .or(() -> transfer.handler(id, command))
        .or(() -> debug.handler(id, command))
        .or(() -> snp.handler(id, command));
  }

  /** sev_guest_init: the deprecated way, which makes a default VM an encrypted one. */
  private void initializeDefault(MemorySegment command) {
    refuseIf(vm.type() != Kvm.KVM_X86_DEFAULT_VM(), Errno.EINVAL);
    boolean es = kvm_sev_cmd.id(command) == Kvm.KVM_SEV_ES_INIT();
    MemorySegment init = task().scratch(kvm_sev_init.sizeof());
    kvm_sev_init.ghcb_version(init, (short) (es ? LEAST_GHCB_VERSION : 0));
    initialize(command, init, es ? Kvm.KVM_X86_SEV_ES_VM() : Kvm.KVM_X86_SEV_VM());
  }

  /** sev_guest_init2. */
  private void initialize(MemorySegment command) {
    refuseIf(!context.needsInit, Errno.EINVAL);
    initialize(command, task().in(kvm_sev_cmd.data(command), kvm_sev_init.sizeof()), vm.type());
  }

  /** __sev_guest_init. */
  private void initialize(MemorySegment command, MemorySegment init, int type) {
    boolean es = type != Kvm.KVM_X86_SEV_VM();
    boolean isSnp = type == Kvm.KVM_X86_SNP_VM();
    refuseIf(vm.hasVcpus(), Errno.EINVAL);
    refuseIf(kvm_sev_init.flags(init) != 0, Errno.EINVAL);
    refuseIf((kvm_sev_init.vmsa_features(init) & ~(es ? DEBUG_SWAP : 0)) != 0, Errno.EINVAL);
    int version = Short.toUnsignedInt(kvm_sev_init.ghcb_version(init));
    refuseIf(version > MOST_GHCB_VERSION || (!es && version != 0), Errno.EINVAL);
    refuseIf(isSnp && version == LEAST_GHCB_VERSION, Errno.EINVAL);
    refuseIf(context.active, Errno.EINVAL);
    execute(command, "INIT", SevReply::done).orEio();
    context.active = true;
    context.es = es;
    context.snp = isSnp;
    context.asid = vm.number() + 1;
    context.needsInit = false;
  }

  /** __sev_issue_cmd: the descriptor must be the secure processor's. */
  void requireProcessor(int fd) {
    refuseIf(task().descriptors().get(fd, SevFile.class).isEmpty(), Errno.EBADF);
  }

  /** sev_issue_cmd: through the descriptor with which the guest was started. */
  SevReply issue(MemorySegment command, String name, Supplier<SevReply> what) {
    requireProcessor(context.processor);
    return execute(command, name, what);
  }

  /** sev_bind_asid; without an ASID, the guest is gone again. */
  void activate(MemorySegment command, int handle) {
    SevReply reply = execute(command, "ACTIVATE", () -> processor().activate(handle, context.asid));
    if (!reply.isDone()) {
      processor().decommission(handle);
    }
    reply.orEio();
  }

  /** Gives the VM's owner the handle; sev_unbind_asid if that fails. */
  void giveHandle(long data, MemorySegment struct, int handle) {
    try {
      task().out(data, struct);
    } catch (Refused e) {
      processor().decommission(handle);
      throw e;
    }
  }

  /** Makes the secure processor do something, and leaves its status in the command. */
  SevReply execute(MemorySegment command, String name, Supplier<SevReply> what) {
    int error = (int) vm.host().firmware().result(name);
    SevReply reply = error == 0 ? what.get() : SevReply.failed(error);
    kvm_sev_cmd.error(command, reply.status());
    return reply;
  }

  /** Called when a vCPU's registers are encrypted (guest_state_protected). */
  void encrypted(KvmVcpu vcpu) {
    encrypted.add(vcpu);
  }

  /** Called when a vCPU's registers went to another VM. */
  void lost(KvmVcpu vcpu) {
    encrypted.remove(vcpu);
  }

  /** sev_es_sync_vmsa: what is encrypted already cannot be encrypted again. */
  void requirePlain(KvmVcpu vcpu) {
    refuseIf(encrypted.contains(vcpu), Errno.EINVAL);
  }

  /** There are no commands on a vCPU; arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl. */
  @Override
  public void command(KvmVcpu vcpu, long argument) {
    throw refused(Errno.ENOTTY);
  }

  /** sev_mem_enc_register_region. */
  @Override
  public void registerRegion(long address, long bytes) {
    refuseIf(!context.active, Errno.ENOTTY);
    refuseIf(context.owner.isPresent(), Errno.EINVAL);
    regions.register(address, bytes);
  }

  /** sev_mem_enc_unregister_region. */
  @Override
  public void unregisterRegion(long address, long bytes) {
    refuseIf(context.owner.isPresent(), Errno.EINVAL);
    refuseIf(!context.active, Errno.ENOTTY);
    regions.unregister(address, bytes);
  }

  /** sev_vm_copy_enc_context_from. */
  @Override
  public void copyContextFrom(KvmVm source) {
    context.copyFrom(vm, of(source));
  }

  /** sev_vm_move_enc_context_from. */
  @Override
  public void moveContextFrom(KvmVm source) {
    SevVm from = of(source);
    refuseIf(
        vm.type() != from.vm.type() || context.active || !from.context.active || from.isSnp(),
        Errno.EINVAL);
    vm.awaitIdleVcpus();
    from.vm.awaitIdleVcpus();
    if (from.context.es) {
      refuseIf(vm.vcpuCount() != from.vm.vcpuCount(), Errno.EINVAL);
      from.vm.vcpus().forEach(vcpu -> refuseIf(!from.hidesRegisters(vcpu), Errno.EINVAL));
    }
    context.moveFrom(vm, from.context, from.vm);
    regions.moveFrom(from.regions);
    if (context.es) {
      vm.vcpus().forEach(this::encrypted);
      from.vm.vcpus().forEach(from::lost);
    }
    from.vm.die();
  }

  /** A guest with SEV-SNP has its private memory in a guest_memfd, which nobody else can read. */
  @Override
  public Optional<SevKey> memoryKey() {
    return context.active && !context.snp ? processor().key(context.handle) : Optional.empty();
  }

  /** sev_vm_destroy. */
  @Override
  public void release() {
    if (!context.active) {
      return;
    }
    if (context.owner.isPresent()) {
      context.release();
      return;
    }
    regions.release();
    processor().decommission(context.handle);
  }

  @Override
  public void beforeVcpu() {}

  /** arch/x86/kvm/svm/sev.c:sev_vm_init, snp_launch_finish. */
  @Override
  public boolean preFaultAllowed() {
    return vm.type() != Kvm.KVM_X86_SNP_VM() || snp.isFinished();
  }

  @Override
  public boolean hidesRegisters(KvmVcpu vcpu) {
    return encrypted.contains(vcpu);
  }

  /**
   * A guest whose registers were never encrypted can't be entered: the processor says
   * VMEXIT_INVALID, arch/x86/kvm/svm/svm.c:svm_handle_exit. A VM that still waits for its
   * initialization is EINVAL (sev_vcpu_needs_initialization).
   */
  @Override
  public boolean mayEnter(KvmVcpu vcpu) {
    refuseIf(context.needsInit, Errno.EINVAL);
    if (!context.es || encrypted.contains(vcpu)) {
      return true;
    }
    vcpu.run().reason(Kvm.KVM_EXIT_FAIL_ENTRY());
    MemorySegment entry = kvm_run.fail_entry(vcpu.run().segment());
    kvm_run.fail_entry.hardware_entry_failure_reason(entry, -1);
    kvm_run.fail_entry.cpu(entry, 0);
    return false;
  }

  @Override
  public long sharedPageBit() {
    return 0;
  }
}
