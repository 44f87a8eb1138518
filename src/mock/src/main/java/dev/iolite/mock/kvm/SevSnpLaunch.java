package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.Refused;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_sev_cmd;
import dev.iolite.uapi.kvm.kvm_sev_snp_launch_finish;
import dev.iolite.uapi.kvm.kvm_sev_snp_launch_start;
import dev.iolite.uapi.kvm.kvm_sev_snp_launch_update;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** The launch of an SEV-SNP guest; arch/x86/kvm/svm/sev.c. */
final class SevSnpLaunch {
  /** SNP_POLICY_MASK_RSVD_MBO: must be one. */
  private static final long POLICY_RESERVED = 1 << 17;

  /** API version, SMT, the reserved bit, DEBUG, SINGLE_SOCKET. */
  private static final long POLICY_SUPPORTED = 0x1b_ffff;

  private final KvmVm vm;
  private final SevVm sev;
  private final Set<Long> added = new HashSet<>();
  private boolean context;
  private boolean finished;

  SevSnpLaunch(KvmVm vm, SevVm sev) {
    this.vm = vm;
    this.sev = sev;
  }

  boolean isFinished() {
    return finished;
  }

  /** What does a command; empty if it is none of these. */
  Optional<Runnable> handler(int id, MemorySegment command) {
    Runnable handler = null;
    if (id == Kvm.KVM_SEV_SNP_LAUNCH_START()) {
      handler = () -> start(command);
    } else if (id == Kvm.KVM_SEV_SNP_LAUNCH_UPDATE()) {
      handler = () -> update(command);
    } else if (id == Kvm.KVM_SEV_SNP_LAUNCH_FINISH()) {
      handler = () -> finish(command);
    } else if (id == Kvm.KVM_SEV_SNP_ENABLE_REQ_CERTS()) {
      // snp_enable_certs; the guests of the model ask for no certificates.
      handler = () -> refuseIf(vm.hasVcpus() || !sev.isSnp(), Errno.EINVAL);
    }
    return Optional.ofNullable(handler);
  }

  /** snp_launch_start. */
  private void start(MemorySegment command) {
    refuseIf(!sev.isSnp(), Errno.ENOTTY);
    MemorySegment start =
        vm.task().in(kvm_sev_cmd.data(command), kvm_sev_snp_launch_start.sizeof());
    refuseIf(context, Errno.EINVAL);
    refuseIf(kvm_sev_snp_launch_start.flags(start) != 0, Errno.EINVAL);
    long policy = kvm_sev_snp_launch_start.policy(start);
    refuseIf((policy & ~POLICY_SUPPORTED) != 0, Errno.EINVAL);
    refuseIf((policy & POLICY_RESERVED) == 0, Errno.EINVAL);
    try {
      execute(command, "SNP_GCTX_CREATE");
    } catch (Refused e) {
      // snp_context_create reports only that there is none.
      throw refused(Errno.ENOTTY);
    }
    execute(command, "SNP_LAUNCH_START");
    sev.context().processor = kvm_sev_cmd.sev_fd(command);
    sev.issue(command, "SNP_ACTIVATE", SevReply::done).orEio();
    context = true;
  }

  /** snp_launch_update. */
  private void update(MemorySegment command) {
    refuseIf(!sev.isSnp() || !context, Errno.EINVAL);
    long data = kvm_sev_cmd.data(command);
    MemorySegment update = vm.task().in(data, kvm_sev_snp_launch_update.sizeof());
    long bytes = kvm_sev_snp_launch_update.len(update);
    int type = Byte.toUnsignedInt(kvm_sev_snp_launch_update.type(update));
    refuseIf(
        bytes == 0
            || bytes % Page.BYTES != 0
            || kvm_sev_snp_launch_update.flags(update) != 0
            || !isPageType(type),
        Errno.EINVAL);
    boolean zero = type == Kvm.KVM_SEV_SNP_PAGE_TYPE_ZERO();
    long source = kvm_sev_snp_launch_update.uaddr(update);
    refuseIf(!zero && (source == 0 || source % Page.BYTES != 0), Errno.EINVAL);
    long page = kvm_sev_snp_launch_update.gfn_start(update);
    KvmMemorySlot slot = vm.slots().at(page << 12);
    if (page >>> 52 != 0 || slot == null || !slot.hasGuestMemfd()) {
      throw refused(Errno.EINVAL);
    }
    long room = (slot.end() >>> 12) - page;
    long pages = bytes >>> 12;
    long count = add(command, page, zero ? 0 : source, Math.min(pages, room));
    kvm_sev_snp_launch_update.gfn_start(update, page + count);
    kvm_sev_snp_launch_update.len(update, bytes - (count << 12));
    if (!zero) {
      kvm_sev_snp_launch_update.uaddr(update, source + (count << 12));
    }
    vm.task().out(data, update);
  }

  private static boolean isPageType(int type) {
    return type == Kvm.KVM_SEV_SNP_PAGE_TYPE_NORMAL()
        || type == Kvm.KVM_SEV_SNP_PAGE_TYPE_ZERO()
        || type == Kvm.KVM_SEV_SNP_PAGE_TYPE_UNMEASURED()
        || type == Kvm.KVM_SEV_SNP_PAGE_TYPE_SECRETS()
        || type == Kvm.KVM_SEV_SNP_PAGE_TYPE_CPUID();
  }

  /** Adds pages; EIO if not even the first could be added, whatever the reason. */
  private long add(MemorySegment command, long first, long source, long pages) {
    int before = kvm_sev_cmd.error(command);
    long done = 0;
    kvm_sev_cmd.error(command, 0);
    try {
      for (; done < pages; done++) {
        addPage(command, (first + done) << 12, source == 0 ? 0 : source + (done << 12));
      }
    } catch (Refused e) {
      refuseIf(done == 0, Errno.EIO);
    }
    kvm_sev_cmd.error(command, before);
    return done;
  }

  /** sev_gmem_post_populate. */
  private void addPage(MemorySegment command, long gpa, long source) {
    Population.addPage(vm, gpa, source, added, Errno.EEXIST);
    try {
      execute(command, "SNP_LAUNCH_UPDATE");
    } catch (Refused e) {
      added.remove(gpa);
      throw e;
    }
  }

  /** __sev_issue_cmd, through the descriptor in the command. */
  private void execute(MemorySegment command, String name) {
    sev.requireProcessor(kvm_sev_cmd.sev_fd(command));
    sev.execute(command, name, this::whileLaunching).orEio();
  }

  /** AMD's SEV-SNP firmware ABI (publication 56860): these are commands of a guest's launch. */
  private SevReply whileLaunching() {
    return finished ? SevReply.failed(SevReply.INVALID_GUEST_STATE) : SevReply.done();
  }

  /** snp_launch_finish. */
  private void finish(MemorySegment command) {
    refuseIf(!sev.isSnp(), Errno.ENOTTY);
    refuseIf(!context, Errno.EINVAL);
    MemorySegment finish =
        vm.task().in(kvm_sev_cmd.data(command), kvm_sev_snp_launch_finish.sizeof());
    refuseIf(kvm_sev_snp_launch_finish.flags(finish) != 0, Errno.EINVAL);
    encryptRegisters(command);
    if (kvm_sev_snp_launch_finish.id_block_en(finish) != 0) {
      SevBlobs.copy(
          vm.task(),
          kvm_sev_snp_launch_finish.id_block_uaddr(finish),
          Kvm.KVM_SEV_SNP_ID_BLOCK_SIZE());
      SevBlobs.copy(
          vm.task(),
          kvm_sev_snp_launch_finish.id_auth_uaddr(finish),
          Kvm.KVM_SEV_SNP_ID_AUTH_SIZE());
    }
    sev.issue(command, "SNP_LAUNCH_FINISH", this::whileLaunching).orEio();
    finished = true;
  }

  /** snp_launch_update_vmsa. */
  private void encryptRegisters(MemorySegment command) {
    for (KvmVcpu vcpu : vm.vcpus()) {
      sev.requirePlain(vcpu);
      execute(command, "SNP_LAUNCH_UPDATE");
      sev.encrypted(vcpu);
    }
  }
}
