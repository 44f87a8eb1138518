package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_enable_cap;
import java.lang.foreign.MemorySegment;

/** What can be switched on for a VM. */
final class VmCapabilities {
  private static final long MANUAL_PROTECT_ENABLE = 1;

  private VmCapabilities() {}

  /**
   * virt/kvm/kvm_main.c:kvm_vm_ioctl_enable_cap_generic and
   * arch/x86/kvm/x86.c:kvm_vm_ioctl_enable_cap, for the capabilities that the model has.
   */
  static void enable(KvmVm vm, MemorySegment argument) {
    int capability = kvm_enable_cap.cap(argument);
    long value = kvm_enable_cap.args(argument, 0);
    refuseIf(kvm_enable_cap.flags(argument) != 0, Errno.EINVAL);
    if (capability == Kvm.KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2()) {
      long allowed =
          (value & MANUAL_PROTECT_ENABLE) != 0
              ? KvmCapabilities.MANUAL_DIRTY_LOG
              : MANUAL_PROTECT_ENABLE;
      refuseIf((value & ~allowed) != 0, Errno.EINVAL);
      vm.manualDirtyLog(value);
    } else if (capability == Kvm.KVM_CAP_HALT_POLL()) {
      refuseIf(value >>> Integer.SIZE != 0, Errno.EINVAL);
    } else if (capability == Kvm.KVM_CAP_DISABLE_QUIRKS2()) {
      refuseIf((value & ~KvmCapabilities.QUIRKS) != 0, Errno.EINVAL);
    } else if (capability == Kvm.KVM_CAP_SPLIT_IRQCHIP()) {
      refuseIf(Long.compareUnsigned(value, KvmCapabilities.MAX_IRQ_ROUTES) > 0, Errno.EINVAL);
      refuseIf(vm.hasIrqchip() || vm.hasVcpus(), Errno.EEXIST);
      vm.createIrqchip(true);
    } else if (capability == Kvm.KVM_CAP_EXIT_HYPERCALL()) {
      refuseIf((value & ~vm.platform().hypercallExits()) != 0, Errno.EINVAL);
      vm.hypercallExits(value);
    } else {
      throw refused(Errno.EINVAL);
    }
  }

  /** KVM_CREATE_IRQCHIP. */
  static void createIrqchip(KvmVm vm) {
    refuseIf(vm.hasIrqchip(), Errno.EEXIST);
    refuseIf(vm.hasProtectedEoi(), Errno.ENOTTY);
    refuseIf(vm.hasVcpus(), Errno.EINVAL);
    vm.createIrqchip(false);
  }
}
