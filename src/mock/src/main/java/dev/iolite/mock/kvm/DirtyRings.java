package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.uapi.kvm.kvm_dirty_gfn;

/** Rings of the pages that the vCPUs of a VM write; virt/kvm/dirty_ring.c. */
final class DirtyRings {
  /** include/linux/kvm_host.h: KVM_DIRTY_RING_MAX_ENTRIES. */
  static final int MOST_ENTRIES = 1 << 16;

  /** include/linux/kvm_host.h: KVM_DIRTY_RING_RSVD_ENTRIES. */
  private static final int RESERVED = 64;

  /** arch/x86/kvm/vmx/vmx.h: PML_LOG_NR_ENTRIES, as many as Intel's processor may log at once. */
  private static final int LOGGED_BY_INTEL = 512;

  private final KvmVm vm;
  private int bytes;

  DirtyRings(KvmVm vm) {
    this.vm = vm;
  }

  /** virt/kvm/kvm_main.c:kvm_vm_ioctl_enable_dirty_log_ring. */
  void enable(long size) {
    int wanted = (int) size;
    refuseIf(Integer.bitCount(wanted) != 1, Errno.EINVAL);
    refuseIf(Integer.compareUnsigned(wanted, (int) Page.BYTES) < 0, Errno.EINVAL);
    refuseIf(Integer.toUnsignedLong(wanted) < reserved() * kvm_dirty_gfn.sizeof(), Errno.EINVAL);
    long most = MOST_ENTRIES * kvm_dirty_gfn.sizeof();
    refuseIf(Integer.toUnsignedLong(wanted) > most, Errno.E2BIG);
    refuseIf(bytes != 0 || vm.hasVcpus(), Errno.EINVAL);
    bytes = wanted;
  }

  /** virt/kvm/dirty_ring.c:kvm_dirty_ring_get_rsvd_entries. */
  int reserved() {
    return RESERVED + (vm.platform().hasTdx() ? LOGGED_BY_INTEL : 0);
  }

  /** How large a vCPU's ring is; 0 if the VM has bitmaps. */
  int bytes() {
    return bytes;
  }

  /** KVM_RESET_DIRTY_RINGS; virt/kvm/kvm_main.c:kvm_vm_ioctl_reset_dirty_pages. */
  int reset() {
    refuseIf(bytes == 0, Errno.EINVAL);
    int count = 0;
    for (KvmVcpu vcpu : vm.vcpus()) {
      count += vcpu.dirtyRing().map(ring -> ring.reset(vm)).orElse(0);
    }
    return count;
  }
}
