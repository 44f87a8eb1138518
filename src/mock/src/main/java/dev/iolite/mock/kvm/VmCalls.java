package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_clock_data;
import dev.iolite.uapi.kvm.kvm_coalesced_mmio_zone;
import dev.iolite.uapi.kvm.kvm_enc_region;
import dev.iolite.uapi.kvm.kvm_hyperv_eventfd;
import dev.iolite.uapi.kvm.kvm_irq_level;
import dev.iolite.uapi.kvm.kvm_irqchip;
import dev.iolite.uapi.kvm.kvm_msi;
import java.lang.foreign.MemorySegment;

/**
 * A VM's calls about its interrupts, its clock, its tracking and its filters;
 * virt/kvm/kvm_main.c:kvm_vm_ioctl, arch/x86/kvm/x86.c:kvm_arch_vm_ioctl.
 */
final class VmCalls {
  private final KvmVm vm;
  private final Task task;

  VmCalls(KvmVm vm) {
    this.vm = vm;
    task = vm.task();
  }

  /** Makes a call; ENOTTY if there is none with this number. */
  int make(int request, long argument) {
    if (request == (int) Kvm.KVM_REGISTER_COALESCED_MMIO()) {
      vm.coalescedZones().register(task.in(argument, kvm_coalesced_mmio_zone.sizeof()));
    } else if (request == (int) Kvm.KVM_UNREGISTER_COALESCED_MMIO()) {
      vm.coalescedZones().unregister(task.in(argument, kvm_coalesced_mmio_zone.sizeof()));
    } else if (request == Kvm.KVM_RESET_DIRTY_RINGS()) {
      return vm.dirtyRings().reset();
    } else if (request == (int) Kvm.KVM_GET_CLOCK()) {
      MemorySegment data = task.scratch(kvm_clock_data.sizeof());
      vm.clock().store(data);
      task.out(argument, data);
    } else if (request == (int) Kvm.KVM_SET_CLOCK()) {
      vm.clock().load(task.in(argument, kvm_clock_data.sizeof()));
    } else if (request == (int) Kvm.KVM_HYPERV_EVENTFD()) {
      vm.hyperV().signal(task.in(argument, kvm_hyperv_eventfd.sizeof()));
    } else if (request == (int) Kvm.KVM_SET_PMU_EVENT_FILTER()) {
      GuestFilters.events(task, argument);
    } else if (request == (int) Kvm.KVM_X86_SET_MSR_FILTER()) {
      vm.setMsrAccess(GuestFilters.msrs(task, argument));
    } else if (request == (int) Kvm.KVM_MEMORY_ENCRYPT_REG_REGION()) {
      MemorySegment region = task.in(argument, kvm_enc_region.sizeof());
      vm.vendor().registerRegion(kvm_enc_region.addr(region), kvm_enc_region.size(region));
    } else if (request == (int) Kvm.KVM_MEMORY_ENCRYPT_UNREG_REGION()) {
      MemorySegment region = task.in(argument, kvm_enc_region.sizeof());
      vm.vendor().unregisterRegion(kvm_enc_region.addr(region), kvm_enc_region.size(region));
    } else {
      return interrupts(request, argument);
    }
    return 0;
  }

  private int interrupts(int request, long argument) {
    InterruptControllers chips = vm.interrupts();
    if (request == (int) Kvm.KVM_GET_IRQCHIP()) {
      MemorySegment chip = task.in(argument, kvm_irqchip.sizeof());
      chips.get(chip);
      task.out(argument, chip);
    } else if (request == (int) Kvm.KVM_SET_IRQCHIP()) {
      chips.set(task.in(argument, kvm_irqchip.sizeof()));
    } else if (request == Kvm.KVM_CREATE_PIT()) {
      chips.createTimer();
    } else if (request == (int) Kvm.KVM_CREATE_PIT2()) {
      chips.createTimer2(argument);
    } else if (request == (int) Kvm.KVM_GET_PIT()) {
      chips.getTimer(argument);
    } else if (request == (int) Kvm.KVM_SET_PIT()) {
      chips.setTimer(argument);
    } else if (request == (int) Kvm.KVM_GET_PIT2()) {
      chips.getTimer2(argument);
    } else if (request == (int) Kvm.KVM_SET_PIT2()) {
      chips.setTimer2(argument);
    } else if (request == Kvm.KVM_REINJECT_CONTROL()) {
      chips.reinject(argument);
    } else if (request == (int) Kvm.KVM_SET_GSI_ROUTING()) {
      vm.routes().set(argument);
    } else if (request == (int) Kvm.KVM_SIGNAL_MSI()) {
      return vm.routes().message(task.in(argument, kvm_msi.sizeof()));
    } else if (request == (int) Kvm.KVM_IRQ_LINE()) {
      vm.routes().line(task.in(argument, kvm_irq_level.sizeof()));
    } else if (request == (int) Kvm.KVM_IRQ_LINE_STATUS()) {
      MemorySegment level = task.in(argument, kvm_irq_level.sizeof());
      vm.routes().line(level);
      task.out(argument, level);
    } else {
      throw refused(Errno.ENOTTY);
    }
    return 0;
  }
}
