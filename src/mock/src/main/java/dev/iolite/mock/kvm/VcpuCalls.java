package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_debugregs;
import dev.iolite.uapi.kvm.kvm_fpu;
import dev.iolite.uapi.kvm.kvm_guest_debug;
import dev.iolite.uapi.kvm.kvm_interrupt;
import dev.iolite.uapi.kvm.kvm_lapic_state;
import dev.iolite.uapi.kvm.kvm_signal_mask;
import dev.iolite.uapi.kvm.kvm_sregs2;
import dev.iolite.uapi.kvm.kvm_tpr_access_ctl;
import dev.iolite.uapi.kvm.kvm_translation;
import dev.iolite.uapi.kvm.kvm_vapic_addr;
import dev.iolite.uapi.kvm.kvm_vcpu_events;
import dev.iolite.uapi.kvm.kvm_x86_mce;
import dev.iolite.uapi.kvm.kvm_xcr;
import dev.iolite.uapi.kvm.kvm_xcrs;
import dev.iolite.uapi.kvm.kvm_xsave;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A vCPU's calls about its state; virt/kvm/kvm_main.c:kvm_vcpu_ioctl,
 * arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl.
 */
final class VcpuCalls {
  /** arch/x86/include/asm/kvm.h: KVM_MAX_XCRS. */
  private static final int MOST_XCRS = 16;

  /** include/linux/kvm_types.h: ~0. */
  private static final long INVALID_GPA = -1;

  private final KvmVcpu vcpu;
  private final Task task;

  VcpuCalls(KvmVcpu vcpu) {
    this.vcpu = vcpu;
    task = vcpu.vm().task();
  }

  /** Makes a call; EINVAL if there is none with this number. */
  int make(int request, long argument) {
    if (request == (int) Kvm.KVM_GET_VCPU_EVENTS()) {
      MemorySegment events = task.scratch(kvm_vcpu_events.sizeof());
      vcpu.events().store(events);
      task.out(argument, events);
    } else if (request == (int) Kvm.KVM_SET_VCPU_EVENTS()) {
      vcpu.events().load(task.in(argument, kvm_vcpu_events.sizeof()));
    } else if (request == (int) Kvm.KVM_INTERRUPT()) {
      vcpu.events().interrupt(kvm_interrupt.irq(task.in(argument, kvm_interrupt.sizeof())));
    } else if (request == Kvm.KVM_NMI()) {
      vcpu.events().nmi();
    } else if (request == (int) Kvm.KVM_X86_SETUP_MCE()) {
      vcpu.machineChecks().setUp(task.in(argument, Long.BYTES).get(ValueLayout.JAVA_LONG, 0));
    } else if (request == (int) Kvm.KVM_X86_SET_MCE()) {
      vcpu.machineChecks().raise(task.in(argument, kvm_x86_mce.sizeof()));
    } else if (request == (int) Kvm.KVM_SET_CPUID()) {
      vcpu.cpuid().setWithoutSubleaves(argument, vcpu.hasRun());
    } else if (request == (int) Kvm.KVM_GET_MSRS()) {
      return vcpu.msrs().getAll(argument);
    } else if (request == (int) Kvm.KVM_SET_MSRS()) {
      return vcpu.msrs().setAll(argument);
    } else if (request == (int) Kvm.KVM_GET_ONE_REG()) {
      vcpu.msrs().one(argument, true);
    } else if (request == (int) Kvm.KVM_SET_ONE_REG()) {
      vcpu.msrs().one(argument, false);
    } else if (request == (int) Kvm.KVM_GET_REG_LIST()) {
      VcpuMsrs.listRegisters(task, argument);
    } else if (request == Kvm.KVM_SMI()) {
      // The model's processor has no system management mode: smm.h:kvm_inject_smi.
      throw refused(Errno.ENOTTY);
    } else if (request == Kvm.KVM_KVMCLOCK_CTRL()) {
      // The model's guests use no paravirtual clock: x86.c:kvm_set_guest_paused.
      throw refused(Errno.EINVAL);
    } else {
      return registers(request, argument);
    }
    return 0;
  }

  private int registers(int request, long argument) {
    if (request == (int) Kvm.KVM_GET_XSAVE() || request == (int) Kvm.KVM_GET_XSAVE2()) {
      requireVisible();
      MemorySegment area = task.scratch(FpuArea.BYTES);
      vcpu.fpu().store(area);
      task.out(argument, area);
    } else if (request == (int) Kvm.KVM_SET_XSAVE()) {
      MemorySegment area = task.in(argument, kvm_xsave.sizeof());
      requireVisible();
      vcpu.fpu().load(area);
    } else if (request == (int) Kvm.KVM_GET_FPU()) {
      requireVisible();
      MemorySegment fpu = task.scratch(kvm_fpu.sizeof());
      vcpu.fpu().storeFpu(fpu);
      task.out(argument, fpu);
    } else if (request == (int) Kvm.KVM_SET_FPU()) {
      MemorySegment fpu = task.in(argument, kvm_fpu.sizeof());
      requireVisible();
      vcpu.fpu().loadFpu(fpu);
    } else if (request == (int) Kvm.KVM_GET_XCRS()) {
      requireVisible();
      MemorySegment xcrs = task.scratch(kvm_xcrs.sizeof());
      xcrs.fill((byte) 0);
      kvm_xcrs.nr_xcrs(xcrs, 1);
      kvm_xcr.value(kvm_xcrs.xcrs(xcrs, 0), vcpu.fpu().xcr0());
      task.out(argument, xcrs);
    } else if (request == (int) Kvm.KVM_SET_XCRS()) {
      MemorySegment xcrs = task.in(argument, kvm_xcrs.sizeof());
      requireVisible();
      setXcrs(xcrs);
    } else if (request == (int) Kvm.KVM_GET_SREGS2()) {
      requireVisible();
      MemorySegment sregs = task.scratch(kvm_sregs2.sizeof());
      VcpuRegisters.store2(vcpu.cpu(), sregs);
      task.out(argument, sregs);
    } else if (request == (int) Kvm.KVM_SET_SREGS2()) {
      requireVisible();
      VcpuRegisters.setSpecial2(vcpu.cpu(), vcpu.cpuid(), task.in(argument, kvm_sregs2.sizeof()));
    } else if (request == (int) Kvm.KVM_GET_LAPIC()) {
      task.out(argument, vcpu.apic().get());
    } else if (request == (int) Kvm.KVM_SET_LAPIC()) {
      vcpu.apic().requireKernels();
      vcpu.apic().set(task.in(argument, kvm_lapic_state.sizeof()));
    } else {
      return debugging(request, argument);
    }
    return 0;
  }

  private int debugging(int request, long argument) {
    if (request == (int) Kvm.KVM_GET_DEBUGREGS()) {
      requireVisible();
      MemorySegment registers = task.scratch(kvm_debugregs.sizeof());
      vcpu.debug().store(registers);
      task.out(argument, registers);
    } else if (request == (int) Kvm.KVM_SET_DEBUGREGS()) {
      MemorySegment registers = task.in(argument, kvm_debugregs.sizeof());
      requireVisible();
      vcpu.debug().load(registers);
    } else if (request == (int) Kvm.KVM_SET_GUEST_DEBUG()) {
      MemorySegment debug = task.in(argument, kvm_guest_debug.sizeof());
      requireVisible();
      vcpu.debug().control(kvm_guest_debug.control(debug), vcpu.events());
    } else if (request == (int) Kvm.KVM_TRANSLATE()) {
      translate(argument);
    } else if (request == (int) Kvm.KVM_TPR_ACCESS_REPORTING()) {
      MemorySegment control = task.in(argument, kvm_tpr_access_ctl.sizeof());
      refuseIf(kvm_tpr_access_ctl.flags(control) != 0, Errno.EINVAL);
      task.out(argument, control);
    } else if (request == (int) Kvm.KVM_SET_VAPIC_ADDR()) {
      vcpu.apic().requireKernels();
      requireSlot(kvm_vapic_addr.vapic_addr(task.in(argument, kvm_vapic_addr.sizeof())));
    } else if (request == (int) Kvm.KVM_SET_SIGNAL_MASK()) {
      setSignalMask(argument);
    } else if (request == (int) Kvm.KVM_GET_SUPPORTED_HV_CPUID()) {
      HyperVInterface.getCpuid(task, argument, vcpu.vm().hasIrqchip());
    } else if (request == (int) Kvm.KVM_HAS_DEVICE_ATTR()
        || request == (int) Kvm.KVM_GET_DEVICE_ATTR()
        || request == (int) Kvm.KVM_SET_DEVICE_ATTR()) {
      KvmAttributes.ofVcpu(vcpu, request, argument);
    } else if (request == (int) Kvm.KVM_GET_NESTED_STATE()) {
      vcpu.nested().get(argument);
    } else if (request == (int) Kvm.KVM_SET_NESTED_STATE()) {
      vcpu.nested().set(argument);
    } else {
      throw refused(Errno.EINVAL);
    }
    return 0;
  }

  private void requireVisible() {
    refuseIf(vcpu.stateIsProtected(), Errno.EINVAL);
  }

  /** arch/x86/kvm/x86.c:kvm_vcpu_ioctl_x86_set_xcrs: only XCR0 is set, and only the first one. */
  private void setXcrs(MemorySegment xcrs) {
    int count = kvm_xcrs.nr_xcrs(xcrs);
    refuseIf(
        Integer.compareUnsigned(count, MOST_XCRS) > 0 || kvm_xcrs.flags(xcrs) != 0, Errno.EINVAL);
    for (int i = 0; i < count; i++) {
      if (kvm_xcr.xcr(kvm_xcrs.xcrs(xcrs, i)) == 0) {
        vcpu.fpu().setXcr0(kvm_xcr.value(kvm_xcrs.xcrs(xcrs, i)));
        return;
      }
    }
  }

  /**
   * arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl_translate: INVALID_GPA is ~0. With paging, which the
   * model's guests do not run with, there is no translation.
   */
  private void translate(long argument) {
    MemorySegment translation = task.in(argument, kvm_translation.sizeof());
    long linear = kvm_translation.linear_address(translation);
    boolean isFound = !vcpu.cpu().hasPaging() && linear != INVALID_GPA;
    kvm_translation.physical_address(translation, isFound ? linear : INVALID_GPA);
    kvm_translation.valid(translation, (byte) (isFound ? 1 : 0));
    kvm_translation.writeable(translation, (byte) 1);
    kvm_translation.usermode(translation, (byte) 0);
    task.out(argument, translation);
  }

  /** arch/x86/kvm/lapic.c:kvm_lapic_set_vapic_addr: 32 bits in slots. */
  private void requireSlot(long gpa) {
    if (gpa != 0) {
      MemorySlots slots = vcpu.vm().slots();
      refuseIf(slots.at(gpa) == null, Errno.EINVAL);
      refuseIf(slots.at(gpa + Integer.BYTES - 1) == null, Errno.EINVAL);
    }
  }

  /** virt/kvm/kvm_main.c:kvm_vcpu_ioctl, KVM_SET_SIGNAL_MASK. */
  private void setSignalMask(long argument) {
    long blocked = 0;
    if (argument != 0) {
      MemorySegment mask = task.in(argument, kvm_signal_mask.sizeof());
      refuseIf(kvm_signal_mask.len(mask) != Long.BYTES, Errno.EINVAL);
      blocked =
          task.in(argument + kvm_signal_mask.sizeof(), Long.BYTES).get(ValueLayout.JAVA_LONG, 0);
    }
    vcpu.setBlocksInterruption((blocked >>> (Kernel.INTERRUPTION - 1) & 1) != 0);
  }
}
