package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.EventFdFile;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_cpuid2;
import dev.iolite.uapi.kvm.kvm_hyperv_eventfd;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/** What KVM has of Hyper-V's interface, as far as a VM's owner sees it; arch/x86/kvm/hyperv.c. */
final class HyperVInterface {
  private static final int DIRECT_TIMERS = 1 << 19;
  private static final int CLUSTER_IPI = 1 << 10;

  /** The leaves with their registers; arch/x86/kvm/hyperv.c:kvm_get_hv_cpuid. */
  private static final int[][] LEAVES = {
    {0x4000_0000, 0x4000_0082, 0x756e_694c, 0x564b_2078, 0x7648_204d},
    {0x4000_0001, 0x3123_7648, 0, 0, 0},
    {0x4000_0002, 0x3839, 0x000a_0000, 0, 0},
    {0x4000_0003, 0xaaff, 0x0010_0830, 0, 0x0008_4d12 & ~DIRECT_TIMERS},
    {0x4000_0004, 0xa2c & ~CLUSTER_IPI, 0xfff, 0, 0},
    {0x4000_0005, 1024, 64, 0, 0},
    {0x4000_0080, 0, 0x756e_694c, 0x564b_2078, 0x7648_204d},
    {0x4000_0081, 0x3123_5356, 0, 0, 0},
    {0x4000_0082, 2, 0, 0, 0},
    {0x4000_000a, 0x000a_0000, 1, 0, 0}
  };

  private static final int FEATURES = 3;
  private static final int RECOMMENDATIONS = 4;

  private final KvmVm vm;
  private final Map<Integer, EventFdFile> connections = new HashMap<>();

  HyperVInterface(KvmVm vm) {
    this.vm = vm;
  }

  /** KVM_HYPERV_EVENTFD; arch/x86/kvm/hyperv.c:kvm_vm_ioctl_hv_eventfd. */
  void signal(MemorySegment argument) {
    int flags = kvm_hyperv_eventfd.flags(argument);
    int connection = kvm_hyperv_eventfd.conn_id(argument);
    refuseIf(
        (flags & ~Kvm.KVM_HYPERV_EVENTFD_DEASSIGN()) != 0
            || (connection & ~Kvm.KVM_HYPERV_CONN_ID_MASK()) != 0,
        Errno.EINVAL);
    if (flags != 0) {
      EventFdFile gone = connections.remove(connection);
      if (gone == null) {
        throw refused(Errno.ENOENT);
      }
      gone.put();
      return;
    }
    OpenFile file = vm.task().descriptors().get(kvm_hyperv_eventfd.fd(argument));
    if (!(file instanceof EventFdFile eventfd)) {
      throw refused(Errno.EINVAL);
    }
    refuseIf(connections.containsKey(connection), Errno.EEXIST);
    eventfd.get();
    connections.put(connection, eventfd);
  }

  /**
   * KVM_GET_SUPPORTED_HV_CPUID; arch/x86/kvm/hyperv.c:kvm_get_hv_cpuid.
   *
   * @param hasLocalApic whether KVM has the local APIC of the vCPU, if it is asked for one
   */
  static void getCpuid(Task task, long argument, boolean hasLocalApic) {
    MemorySegment head = task.in(argument, kvm_cpuid2.sizeof());
    refuseIf(Integer.compareUnsigned(kvm_cpuid2.nent(head), LEAVES.length) < 0, Errno.E2BIG);
    CpuidEntries entries = CpuidEntries.allocate(LEAVES.length);
    for (int i = 0; i < LEAVES.length; i++) {
      int[] leaf = LEAVES[i];
      int eax = leaf[1] | (hasLocalApic && i == RECOMMENDATIONS ? CLUSTER_IPI : 0);
      int edx = leaf[4] | (hasLocalApic && i == FEATURES ? DIRECT_TIMERS : 0);
      entries.set(i, leaf[0], eax, leaf[2], leaf[3], edx);
    }
    task.out(argument + kvm_cpuid2.sizeof(), entries.array());
    kvm_cpuid2.nent(head, LEAVES.length);
    task.out(argument, head);
  }

  void release() {
    connections.values().forEach(EventFdFile::put);
    connections.clear();
  }
}
