package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * The encryption of a VM, which it can share with mirrors of it and hand over to another VM;
 * arch/x86/kvm/svm/svm.h:kvm_sev_info.
 */
final class SevContext {
  boolean active;
  boolean es;
  boolean snp;
  boolean needsInit;
  int asid;
  int handle;

  /** The number of the descriptor of the secure processor; 0 until the guest is started. */
  int processor;

  /** The VM whose encryption this one mirrors. */
  Optional<KvmVm> owner = Optional.empty();

  private final Set<SevContext> mirrors = new HashSet<>();

  private static SevContext of(KvmVm vm) {
    return SevVm.of(vm).context();
  }

  /** arch/x86/kvm/svm/sev.c:sev_vm_copy_enc_context_from. */
  void copyFrom(KvmVm vm, SevVm from) {
    SevContext source = from.context();
    refuseIf(
        active || !source.active || from.isSnp() || source.owner.isPresent() || vm.hasVcpus(),
        Errno.EINVAL);
    mirror(from.vm());
    active = true;
    asid = source.asid;
    processor = source.processor;
    es = source.es;
    needsInit = false;
    handle = source.handle;
  }

  private void mirror(KvmVm of) {
    of.getKvm();
    owner = Optional.of(of);
    of(of).mirrors.add(this);
  }

  /**
   * arch/x86/kvm/svm/sev.c:sev_migrate_from, which leaves the descriptor of the secure processor
   * behind and this VM waiting for its initialization if its type requires one.
   */
  void moveFrom(KvmVm vm, SevContext from, KvmVm fromVm) {
    active = true;
    asid = from.asid;
    handle = from.handle;
    es = from.es;
    from.active = false;
    from.asid = 0;
    from.handle = 0;
    from.es = false;
    for (SevContext mirror : Set.copyOf(from.mirrors)) {
      mirror.mirror(vm);
      fromVm.putKvm();
    }
    from.mirrors.clear();
    from.owner.ifPresent(its -> {
      owner = from.owner;
      from.owner = Optional.empty();
      of(its).mirrors.remove(from);
      of(its).mirrors.add(this);
    });
  }

  /** Called when a mirror is destroyed. */
  void release() {
    owner.ifPresent(its -> {
      of(its).mirrors.remove(this);
      owner = Optional.empty();
      its.putKvm();
    });
  }
}
