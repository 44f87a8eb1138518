package dev.iolite.kvm;

import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_hyperv_eventfd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Hyper-V's interface to guests of a VM, as KVM has it. Made by {@link Vm#hyperV}.
 *
 * <p>Safe for use by several threads.
 */
public final class HyperV {
  private final Fd vm;

  HyperV(Fd vm) {
    this.vm = vm;
  }

  /**
   * Has the guest's hypercall HvSignalEvent signal an eventfd instead of leaving the guest.
   *
   * <p>KVM_HYPERV_EVENTFD, since Linux 4.16, arch/x86/kvm/hyperv.c:kvm_vm_ioctl_hv_eventfd.
   *
   * @param connection the connection's id, 24 bits
   * @throws KernelException EEXIST: the connection already has one; EINVAL: no such id
   */
  public void signal(int connection, EventFd events) {
    make(connection, events.fd().number(), 0);
  }

  /**
   * Takes a connection's eventfd away.
   *
   * <p>KVM_HYPERV_EVENTFD with KVM_HYPERV_EVENTFD_DEASSIGN.
   *
   * @throws KernelException ENOENT: it has none; EINVAL: no such id
   */
  public void stopSignal(int connection) {
    make(connection, 0, Kvm.KVM_HYPERV_EVENTFD_DEASSIGN());
  }

  private void make(int connection, int eventfd, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = kvm_hyperv_eventfd.allocate(arena);
      kvm_hyperv_eventfd.conn_id(argument, connection);
      kvm_hyperv_eventfd.fd(argument, eventfd);
      kvm_hyperv_eventfd.flags(argument, flags);
      vm.ioctl(KvmIoctls.KVM_HYPERV_EVENTFD, argument);
    }
  }
}
