package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.kvm.kvm_sev_cmd;
import dev.iolite.uapi.kvm.kvm_sev_init;
import dev.iolite.uapi.kvm.kvm_sev_launch_start;
import dev.iolite.uapi.kvm.kvm_sev_launch_update_data;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Set;

/** What all VMs on a machine with SEV have in common; arch/x86/kvm/svm/sev.c. */
final class SevVm implements Protection {
  /** SEV_RET_INVALID_GUEST_STATE. */
  private static final int INVALID_GUEST_STATE = 2;

  private static final int MOST_GHCB_VERSION = 2;
  private static final long FIRST_GUEST_HANDLE = 1;

  /** SVM_SEV_FEAT_DEBUG_SWAP. */
  private static final long DEBUG_SWAP = 1 << 5;

  private enum Launch {
    NONE,
    STARTED,
    FINISHED
  }

  private final KvmVm vm;
  private final int type;
  private final SevSnpLaunch snp;
  private boolean active;
  private Launch launch = Launch.NONE;

  /** The vCPUs whose registers are encrypted. */
  private final Set<KvmVcpu> encrypted = new HashSet<>();

  SevVm(KvmVm vm) {
    this.vm = vm;
    type = vm.type();
    snp = new SevSnpLaunch(vm, this);
  }

  private Task task() {
    return vm.task();
  }

  private boolean needsInit() {
    return type != Kvm.KVM_X86_DEFAULT_VM() && type != Kvm.KVM_X86_SW_PROTECTED_VM();
  }

  /** sev_snp_guest. */
  boolean isSnp() {
    return active && type == Kvm.KVM_X86_SNP_VM();
  }

  private boolean isEs() {
    return active && type != Kvm.KVM_X86_SEV_VM();
  }

  /** arch/x86/kvm/svm/sev.c:sev_mem_enc_ioctl. */
  @Override
  public void command(long argument) {
    if (argument == 0) {
      return;
    }
    MemorySegment command = task().in(argument, kvm_sev_cmd.sizeof());
    int id = kvm_sev_cmd.id(command);
    refuseIf(
        isSnp() && Integer.compareUnsigned(id, Kvm.KVM_SEV_SNP_LAUNCH_START()) < 0, Errno.EPERM);
    if (!isKnown(id)) {
      throw refused(Errno.EINVAL);
    }
    try {
      dispatch(id, command);
    } finally {
      task().out(argument, command);
    }
  }

  private static boolean isKnown(int id) {
    return (id >= Kvm.KVM_SEV_INIT() && id <= Kvm.KVM_SEV_INIT2())
        || (id >= Kvm.KVM_SEV_SNP_LAUNCH_START() && id <= Kvm.KVM_SEV_SNP_ENABLE_REQ_CERTS());
  }

  private void dispatch(int id, MemorySegment command) {
    if (id == Kvm.KVM_SEV_INIT2()) {
      initialize(command);
    } else if (id == Kvm.KVM_SEV_SNP_LAUNCH_START()) {
      snp.start(command);
    } else if (id == Kvm.KVM_SEV_SNP_LAUNCH_UPDATE()) {
      snp.update(command);
    } else if (id == Kvm.KVM_SEV_SNP_LAUNCH_FINISH()) {
      snp.finish(command);
    } else if (id == Kvm.KVM_SEV_SNP_ENABLE_REQ_CERTS()) {
      refuseIf(vm.hasVcpus() || !isSnp(), Errno.EINVAL);
    } else if (id == Kvm.KVM_SEV_INIT() || id == Kvm.KVM_SEV_ES_INIT()) {
      // sev_guest_init: these turn a default VM into an encrypted one; in the model it stays as it
      // is.
      throw refused(Errno.EINVAL);
    } else {
      refuseIf(!active, Errno.ENOTTY);
      launch(id, command);
    }
  }

  /** arch/x86/kvm/svm/sev.c:sev_guest_init2, __sev_guest_init. */
  private void initialize(MemorySegment command) {
    refuseIf(!needsInit() || active, Errno.EINVAL);
    MemorySegment init = task().in(kvm_sev_cmd.data(command), kvm_sev_init.sizeof());
    boolean es = type != Kvm.KVM_X86_SEV_VM();
    refuseIf(vm.hasVcpus(), Errno.EINVAL);
    refuseIf(kvm_sev_init.flags(init) != 0, Errno.EINVAL);
    refuseIf((kvm_sev_init.vmsa_features(init) & ~(es ? DEBUG_SWAP : 0)) != 0, Errno.EINVAL);
    int version = Short.toUnsignedInt(kvm_sev_init.ghcb_version(init));
    refuseIf(version > MOST_GHCB_VERSION || (!es && version != 0), Errno.EINVAL);
    refuseIf(type == Kvm.KVM_X86_SNP_VM() && version == 1, Errno.EINVAL);
    issue(command, "INIT");
    active = true;
  }

  /** __sev_issue_cmd: the descriptor must be the secure processor's. */
  void requireProcessor(MemorySegment command) {
    refuseIf(
        task().descriptors().get(kvm_sev_cmd.sev_fd(command), SevFile.class).isEmpty(),
        Errno.EBADF);
  }

  /** Makes the secure processor do something; if it fails: EIO, and its error in the command. */
  void issue(MemorySegment command, String name) {
    int error = (int) vm.host().firmware().result(name);
    kvm_sev_cmd.error(command, error);
    refuseIf(error != 0, Errno.EIO);
  }

  /** The launch of an SEV or SEV-ES guest, as far as the model implements it. */
  private void launch(int id, MemorySegment command) {
    if (id == Kvm.KVM_SEV_LAUNCH_START()) {
      long data = kvm_sev_cmd.data(command);
      MemorySegment start = task().in(data, kvm_sev_launch_start.sizeof());
      requireProcessor(command);
      requireLaunch(command, Launch.NONE);
      issue(command, "LAUNCH_START");
      kvm_sev_launch_start.handle(start, (int) (FIRST_GUEST_HANDLE + vm.number()));
      task().out(data, start);
      launch = Launch.STARTED;
    } else if (id == Kvm.KVM_SEV_LAUNCH_UPDATE_DATA()) {
      MemorySegment update =
          task().in(kvm_sev_cmd.data(command), kvm_sev_launch_update_data.sizeof());
      long address = kvm_sev_launch_update_data.uaddr(update);
      long bytes = Integer.toUnsignedLong(kvm_sev_launch_update_data.len(update));
      refuseIf(bytes == 0 || Long.compareUnsigned(address + bytes, address) < 0, Errno.EINVAL);
      task().memory().pin(address, bytes, true).release();
      requireLaunch(command, Launch.STARTED);
      issue(command, "LAUNCH_UPDATE_DATA");
    } else if (id == Kvm.KVM_SEV_LAUNCH_UPDATE_VMSA()) {
      refuseIf(!isEs(), Errno.ENOTTY);
      requireLaunch(command, Launch.STARTED);
      for (KvmVcpu vcpu : vm.vcpus()) {
        issue(command, "LAUNCH_UPDATE_VMSA");
        encrypted.add(vcpu);
      }
    } else if (id == Kvm.KVM_SEV_LAUNCH_FINISH()) {
      requireLaunch(command, Launch.STARTED);
      issue(command, "LAUNCH_FINISH");
      launch = Launch.FINISHED;
    } else {
      throw refused(Errno.ENOTTY);
    }
  }

  private void requireLaunch(MemorySegment command, Launch wanted) {
    if (launch != wanted) {
      kvm_sev_cmd.error(command, INVALID_GUEST_STATE);
      throw refused(Errno.EIO);
    }
  }

  /** Encrypts the registers of all vCPUs (snp_launch_update_vmsa). */
  void encryptRegisters(MemorySegment command) {
    for (KvmVcpu vcpu : vm.vcpus()) {
      issue(command, "SNP_LAUNCH_UPDATE");
      encrypted.add(vcpu);
    }
  }

  /** There are no commands on a vCPU; arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl. */
  @Override
  public void command(KvmVcpu vcpu, long argument) {
    throw refused(Errno.ENOTTY);
  }

  @Override
  public void beforeVcpu() {}

  /** arch/x86/kvm/svm/sev.c:sev_vm_init, snp_launch_finish. */
  @Override
  public boolean preFaultAllowed() {
    return type != Kvm.KVM_X86_SNP_VM() || snp.isFinished();
  }

  @Override
  public boolean hidesRegisters(KvmVcpu vcpu) {
    return encrypted.contains(vcpu);
  }

  /**
   * A guest whose registers were never encrypted can't be entered: the processor says
   * VMEXIT_INVALID, arch/x86/kvm/svm/svm.c:svm_handle_exit.
   */
  @Override
  public boolean mayEnter(KvmVcpu vcpu) {
    boolean es = type == Kvm.KVM_X86_SEV_ES_VM() || type == Kvm.KVM_X86_SNP_VM();
    if (!es || encrypted.contains(vcpu)) {
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
