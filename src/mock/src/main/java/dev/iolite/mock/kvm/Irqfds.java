package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.EventFdFile;
import dev.iolite.mock.kvm.InterruptControllers.Source;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_irqfd;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Eventfds that raise a guest's interrupts; virt/kvm/eventfd.c. */
final class Irqfds {
  /**
   * An eventfd of a GSI.
   *
   * @param resample what is signalled when the guest has ended the interrupt, which is a level then
   * @param listener does what the eventfd is for
   */
  private record Entry(
      int gsi, EventFdFile eventfd, Optional<EventFdFile> resample, Runnable listener) {}

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
    int gsi = kvm_irqfd.gsi(argument);
    if ((flags & Kvm.KVM_IRQFD_FLAG_DEASSIGN()) != 0) {
      EventFdFile eventfd = eventfd(kvm_irqfd.fd(argument));
      entries.stream()
          .filter(entry -> entry.gsi == gsi && entry.eventfd == eventfd)
          .toList()
          .forEach(this::remove);
      return;
    }
    boolean resamples = (flags & Kvm.KVM_IRQFD_FLAG_RESAMPLE()) != 0;
    // arch/x86/kvm/irq.c:kvm_arch_irqfd_allowed
    refuseIf(!vm.hasIrqchip() || (resamples && vm.hasSplitIrqchip()), Errno.EINVAL);
    EventFdFile eventfd = eventfd(kvm_irqfd.fd(argument));
    Optional<EventFdFile> resample =
        resamples ? Optional.of(eventfd(kvm_irqfd.resamplefd(argument))) : Optional.empty();
    refuseIf(!vm.host().claimForIrqfd(eventfd), Errno.EBUSY);
    Runnable listener = resamples ? () -> raise(gsi) : () -> pulse(gsi);
    entries.add(new Entry(gsi, eventfd, resample, listener));
    eventfd.get();
    resample.ifPresent(EventFdFile::get);
    eventfd.listen(listener);
  }

  private EventFdFile eventfd(int fd) {
    return vm.task()
        .descriptors()
        .get(fd, EventFdFile.class)
        .orElseThrow(() -> refused(Errno.EINVAL));
  }

  /** virt/kvm/eventfd.c:irqfd_inject. */
  private void pulse(int gsi) {
    vm.routes().set(Source.OWNER, gsi, true);
    vm.routes().set(Source.OWNER, gsi, false);
  }

  private void raise(int gsi) {
    vm.routes().set(Source.RESAMPLED, gsi, true);
  }

  private List<EventFdFile> resampled(int gsi) {
    return entries.stream()
        .filter(entry -> entry.gsi == gsi)
        .flatMap(entry -> entry.resample.stream())
        .toList();
  }

  /** The guest has ended the interrupt of a GSI; virt/kvm/eventfd.c:irqfd_resampler_ack. */
  void ended(int gsi) {
    List<EventFdFile> sources = resampled(gsi);
    if (!sources.isEmpty()) {
      vm.routes().set(Source.RESAMPLED, gsi, false);
      sources.forEach(EventFdFile::signal);
    }
  }

  void release() {
    List.copyOf(entries).forEach(this::remove);
  }

  /** virt/kvm/eventfd.c:irqfd_shutdown, irqfd_resampler_shutdown. */
  private void remove(Entry entry) {
    entries.remove(entry);
    entry.eventfd.ignore(entry.listener);
    if (entry.resample.isPresent() && resampled(entry.gsi).isEmpty()) {
      vm.routes().set(Source.RESAMPLED, entry.gsi, false);
    }
    entry.resample.ifPresent(EventFdFile::put);
    vm.host().releaseFromIrqfd(entry.eventfd);
    entry.eventfd.put();
  }
}
