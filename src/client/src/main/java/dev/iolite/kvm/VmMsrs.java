package dev.iolite.kvm;

import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.KvmIoctls;
import java.lang.foreign.Arena;
import java.util.Set;

/**
 * The guest's access to model-specific registers. Made by {@link Vm#msrs}.
 *
 * <p>Safe for use by several threads.
 */
public final class VmMsrs {
  private final Vm vm;

  VmMsrs(Vm vm) {
    this.vm = vm;
  }

  /**
   * Decides which registers the guest may access, in place of an earlier filter.
   *
   * <p>KVM_X86_SET_MSR_FILTER, since Linux 5.10, arch/x86/kvm/msrs.c:kvm_vm_ioctl_set_msr_filter.
   *
   * @throws KernelException EINVAL: a filter without ranges denies all others, a range is for no
   *     kind of access or too long
   */
  public void filter(MsrFilter filter) {
    try (Arena arena = Arena.ofConfined()) {
      vm.fd().ioctl(KvmIoctls.KVM_X86_SET_MSR_FILTER, filter.allocate(arena));
    }
  }

  /**
   * Has accesses that would be an exception in the guest leave it instead.
   *
   * <p>KVM_CAP_X86_USER_SPACE_MSR, since Linux 5.10.
   *
   * @param reasons why; empty for none
   */
  public void exitOn(Set<MsrExitReason> reasons) {
    vm.enable(
        Capability.X86_USER_SPACE_MSR,
        reasons.stream().mapToInt(MsrExitReason::bit).reduce(0, (a, b) -> a | b));
  }
}
