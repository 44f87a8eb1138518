package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.EventFdFile;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_irqfd;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Eventfds that raise a guest's interrupts; virt/kvm/eventfd.c. The model's guests take no
 * interrupts, so this only keeps records.
 */
final class Irqfds {
  private record Entry(int line, EventFdFile eventfd) {}

  private final KvmVm vm;
  private final List<Entry> entries = new ArrayList<>();

  Irqfds(KvmVm vm) {
    this.vm = vm;
  }

  /** virt/kvm/eventfd.c:kvm_irqfd. */
  void set(MemorySegment argument) {
    int flags = kvm_irqfd.flags(argument);
    refuseIf(
        (flags & ~(Kvm.KVM_IRQFD_FLAG_DEASSIGN() | Kvm.KVM_IRQFD_FLAG_RESAMPLE())) != 0,
        Errno.EINVAL);
    if ((flags & Kvm.KVM_IRQFD_FLAG_DEASSIGN()) != 0) {
      Entry gone = new Entry(kvm_irqfd.gsi(argument), eventfd(kvm_irqfd.fd(argument)));
      if (entries.remove(gone)) {
        free(gone);
      }
      return;
    }
    boolean resample = (flags & Kvm.KVM_IRQFD_FLAG_RESAMPLE()) != 0;
    // arch/x86/kvm/irq.c:kvm_arch_irqfd_allowed
    refuseIf(!vm.hasIrqchip() || (resample && vm.hasSplitIrqchip()), Errno.EINVAL);
    EventFdFile eventfd = eventfd(kvm_irqfd.fd(argument));
    if (resample) {
      eventfd(kvm_irqfd.resamplefd(argument));
    }
    refuseIf(!vm.host().claimForIrqfd(eventfd), Errno.EBUSY);
    eventfd.get();
    entries.add(new Entry(kvm_irqfd.gsi(argument), eventfd));
  }

  private EventFdFile eventfd(int fd) {
    return vm.task()
        .descriptors()
        .get(fd, EventFdFile.class)
        .orElseThrow(() -> refused(Errno.EINVAL));
  }

  void release() {
    entries.forEach(this::free);
    entries.clear();
  }

  private void free(Entry entry) {
    vm.host().releaseFromIrqfd(entry.eventfd);
    entry.eventfd.put();
  }
}
