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

  /** snp_launch_start. */
  void start(MemorySegment command) {
    refuseIf(!sev.isSnp(), Errno.ENOTTY);
    MemorySegment start =
        vm.task().in(kvm_sev_cmd.data(command), kvm_sev_snp_launch_start.sizeof());
    refuseIf(context, Errno.EINVAL);
    refuseIf(kvm_sev_snp_launch_start.flags(start) != 0, Errno.EINVAL);
    long policy = kvm_sev_snp_launch_start.policy(start);
    refuseIf((policy & ~POLICY_SUPPORTED) != 0, Errno.EINVAL);
    refuseIf((policy & POLICY_RESERVED) == 0, Errno.EINVAL);
    try {
      sev.requireProcessor(command);
      sev.issue(command, "SNP_GCTX_CREATE");
    } catch (Refused e) {
      // snp_context_create reports only that there is none.
      throw refused(Errno.ENOTTY);
    }
    sev.issue(command, "SNP_LAUNCH_START");
    sev.issue(command, "SNP_ACTIVATE");
    context = true;
  }

  /** snp_launch_update. */
  void update(MemorySegment command) {
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
    long done = 0;
    try {
      for (; done < pages; done++) {
        long gpa = (first + done) << 12;
        long from = source == 0 ? 0 : source + (done << 12);
        sev.requireProcessor(command);
        Population.addPage(vm, gpa, from, added, Errno.EEXIST);
        try {
          sev.issue(command, "SNP_LAUNCH_UPDATE");
        } catch (Refused e) {
          added.remove(gpa);
          throw e;
        }
      }
    } catch (Refused e) {
      refuseIf(done == 0, Errno.EIO);
      kvm_sev_cmd.error(command, 0);
    }
    return done;
  }

  /** snp_launch_finish. */
  void finish(MemorySegment command) {
    refuseIf(!sev.isSnp(), Errno.ENOTTY);
    refuseIf(!context, Errno.EINVAL);
    MemorySegment finish =
        vm.task().in(kvm_sev_cmd.data(command), kvm_sev_snp_launch_finish.sizeof());
    refuseIf(kvm_sev_snp_launch_finish.flags(finish) != 0, Errno.EINVAL);
    sev.requireProcessor(command);
    sev.encryptRegisters(command);
    if (kvm_sev_snp_launch_finish.id_block_en(finish) != 0) {
      vm.task()
          .in(kvm_sev_snp_launch_finish.id_block_uaddr(finish), Kvm.KVM_SEV_SNP_ID_BLOCK_SIZE());
      vm.task().in(kvm_sev_snp_launch_finish.id_auth_uaddr(finish), Kvm.KVM_SEV_SNP_ID_AUTH_SIZE());
    }
    sev.issue(command, "SNP_LAUNCH_FINISH");
    finished = true;
  }
}
