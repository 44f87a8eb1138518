package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.uapi.kvm.Kvm;
import java.lang.foreign.MemorySegment;

/** {@code /dev/kvm}; virt/kvm/kvm_main.c:kvm_dev_ioctl. */
final class KvmFile extends OpenFile {
  /** struct kvm_run, the data of port I/O, and the ring of coalesced MMIO. */
  static final long VCPU_MMAP_BYTES = 3 * Page.BYTES;

  private final KvmHost host;

  KvmFile(KvmHost host) {
    super(host.task());
    this.host = host;
  }

  @Override
  public String name() {
    return "/dev/kvm";
  }

  @Override
  public int ioctl(int request, long argument) {
    if (request == Kvm.KVM_CHECK_EXTENSION()) {
      return KvmCapabilities.check(host, argument);
    }
    if (request == Kvm.KVM_GET_API_VERSION()) {
      refuseIf(argument != 0, Errno.EINVAL);
      return Kvm.KVM_API_VERSION();
    }
    if (request == Kvm.KVM_GET_VCPU_MMAP_SIZE()) {
      refuseIf(argument != 0, Errno.EINVAL);
      return (int) VCPU_MMAP_BYTES;
    }
    if (request == Kvm.KVM_CREATE_VM()) {
      return host.install(new VmFile(KvmVm.create(host, argument)));
    }
    if (request == (int) Kvm.KVM_GET_SUPPORTED_CPUID()) {
      HostCpuid.getSupported(task(), host.platform(), argument);
      return 0;
    }
    if (request == (int) Kvm.KVM_GET_EMULATED_CPUID()) {
      HostCpuid.getEmulated(task(), argument);
      return 0;
    }
    if (request == (int) Kvm.KVM_GET_MSR_FEATURE_INDEX_LIST()) {
      FeatureMsrs.list(task(), host.platform(), argument);
      return 0;
    }
    if (request == (int) Kvm.KVM_GET_MSRS()) {
      return FeatureMsrs.get(task(), host.platform(), argument);
    }
    if (request == (int) Kvm.KVM_GET_MSR_INDEX_LIST()) {
      VcpuMsrs.list(task(), argument);
      return 0;
    }
    if (request == (int) Kvm.KVM_X86_GET_MCE_CAP_SUPPORTED()) {
      task().out(argument, MemorySegment.ofArray(new long[] {MachineChecks.FEATURES}));
      return 0;
    }
    if (request == (int) Kvm.KVM_GET_SUPPORTED_HV_CPUID()) {
      HyperVInterface.getCpuid(task(), argument, true);
      return 0;
    }
    boolean isGet = request == (int) Kvm.KVM_GET_DEVICE_ATTR();
    if (isGet || request == (int) Kvm.KVM_HAS_DEVICE_ATTR()) {
      KvmAttributes.ofKvm(task(), isGet, argument);
      return 0;
    }
    // arch/x86/kvm/x86.c:kvm_arch_dev_ioctl
    throw refused(Errno.EINVAL);
  }

  /** noop_llseek. */
  @Override
  public long lseek(long offset, int whence) {
    return 0;
  }
}
