package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_enable_cap;
import java.lang.foreign.MemorySegment;

/** The capabilities that can be enabled for a VM. */
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
    } else if (capability == Kvm.KVM_CAP_X2APIC_API()) {
      enableX2apic(vm, value);
    } else if (capability == Kvm.KVM_CAP_EXIT_ON_EMULATION_FAILURE()) {
      // At privilege level 0, where the model's guests are, KVM always exits.
      refuseIf((value & ~1) != 0, Errno.EINVAL);
    } else if (capability == Kvm.KVM_CAP_MAX_VCPU_ID()) {
      vm.settings().limitVcpuIds(value);
    } else if (capability == Kvm.KVM_CAP_VM_DISABLE_NX_HUGE_PAGES()) {
      refuseIf(value != 0 || vm.hasVcpus(), Errno.EINVAL);
    } else if (capability == Kvm.KVM_CAP_X86_APIC_BUS_CYCLES_NS()) {
      vm.settings().setBusCycleNanos(value);
    } else if (capability == Kvm.KVM_CAP_SPLIT_IRQCHIP()) {
      refuseIf(Long.compareUnsigned(value, KvmCapabilities.MAX_IRQ_ROUTES) > 0, Errno.EINVAL);
      refuseIf(vm.hasIrqchip() || vm.hasVcpus(), Errno.EEXIST);
      vm.createIrqchip(true);
    } else if (capability == Kvm.KVM_CAP_VM_COPY_ENC_CONTEXT_FROM()) {
      vm.vendor().copyContextFrom(otherVm(vm, (int) value));
    } else if (capability == Kvm.KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM()) {
      vm.vendor().moveContextFrom(otherVm(vm, (int) value));
    } else if (capability == Kvm.KVM_CAP_DIRTY_LOG_RING()
        || capability == Kvm.KVM_CAP_DIRTY_LOG_RING_ACQ_REL()) {
      vm.dirtyRings().enable(value);
    } else if (capability == Kvm.KVM_CAP_EXCEPTION_PAYLOAD()) {
      vm.settings().setExceptionPayload(value != 0);
    } else if (capability == Kvm.KVM_CAP_X86_TRIPLE_FAULT_EVENT()) {
      vm.settings().setTripleFaultEvent(value != 0);
    } else if (capability == Kvm.KVM_CAP_X86_USER_SPACE_MSR()) {
      refuseIf((value & ~Kvm.KVM_MSR_EXIT_REASON_VALID_MASK()) != 0, Errno.EINVAL);
      vm.settings().setMsrExits(value);
    } else if (capability == Kvm.KVM_CAP_X86_DISABLE_EXITS()) {
      vm.settings().disableExits(value);
    } else if (capability == Kvm.KVM_CAP_EXIT_HYPERCALL()) {
      refuseIf((value & ~vm.platform().hypercallExits()) != 0, Errno.EINVAL);
      vm.hypercallExits(value);
    } else {
      // These accept any value; the model's guests encounter none of the quirks, and have no MSR.
      refuseIf(
          capability != Kvm.KVM_CAP_DISABLE_QUIRKS()
              && capability != Kvm.KVM_CAP_MSR_PLATFORM_INFO(),
          Errno.EINVAL);
    }
  }

  /**
   * The VM of a descriptor (file_is_kvm), which must be another one (sev_lock_two_vms). Only an AMD
   * machine whose kernel has SEV (CONFIG_KVM_AMD_SEV) knows these capabilities.
   */
  private static KvmVm otherVm(KvmVm vm, int source) {
    refuseIf(!vm.platform().hasSev(), Errno.EINVAL);
    KvmVm other =
        vm.task()
            .descriptors()
            .get(source, VmFile.class)
            .map(VmFile::vm)
            .orElseThrow(() -> refused(Errno.EBADF));
    refuseIf(other.equals(vm), Errno.EINVAL);
    return other;
  }

  /** The model has no KVM_EXIT_IOAPIC_EOI, so only the flags are checked. */
  private static void enableX2apic(KvmVm vm, long flags) {
    long suppress = Kvm.KVM_X2APIC_ENABLE_SUPPRESS_EOI_BROADCAST();
    long both = suppress | Kvm.KVM_X2APIC_DISABLE_SUPPRESS_EOI_BROADCAST();
    refuseIf((flags & ~KvmCapabilities.X2APIC_FLAGS) != 0, Errno.EINVAL);
    refuseIf((flags & both) == both, Errno.EINVAL);
    refuseIf((flags & suppress) != 0 && !vm.hasSplitIrqchip(), Errno.EINVAL);
    if ((flags & Kvm.KVM_X2APIC_API_USE_32BIT_IDS()) != 0) {
      vm.settings().useWideApicIds();
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
