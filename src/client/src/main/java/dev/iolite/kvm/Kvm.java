package dev.iolite.kvm;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Set;

/**
 * {@code /dev/kvm}: what the host's KVM can do, and the VMs it makes.
 *
 * <p>Safe for use by several threads.
 */
public final class Kvm implements AutoCloseable {
  /** The path of the device node. */
  public static final String PATH = "/dev/kvm";

  private final Fd fd;

  private Kvm(Fd fd) {
    this.fd = fd;
  }

  /**
   * Opens {@code /dev/kvm}.
   *
   * @throws KernelException what open(2) said (ENOENT: the processor's virtualisation is off or
   *     taken, or the kvm module is not loaded; EACCES: this user may not)
   * @throws UnsupportedOperationException if this is not the version of KVM's API that all kernels
   *     since 2.6.22 have
   */
  public static Kvm open(Kernel kernel) {
    try (CloseStack opening = new CloseStack()) {
      Kvm kvm = opening.push(new Kvm(Fd.open(kernel, FdKind.KVM, PATH, Libc.O_RDWR())));
      int version = kvm.apiVersion();
      if (version != dev.iolite.uapi.kvm.Kvm.KVM_API_VERSION()) {
        throw new UnsupportedOperationException(
            PATH
                + " has KVM API version "
                + version
                + "; only version "
                + dev.iolite.uapi.kvm.Kvm.KVM_API_VERSION()
                + " is known. Is it the kernel's own KVM?");
      }
      opening.release();
      return kvm;
    }
  }

  Fd fd() {
    return fd;
  }

  /**
   * The API's version: 12.
   *
   * <p>KVM_GET_API_VERSION, virt/kvm/kvm_main.c:kvm_dev_ioctl.
   */
  public int apiVersion() {
    return fd.ioctl(KvmIoctls.KVM_GET_API_VERSION, 0);
  }

  /**
   * What the host's KVM says about a capability; a VM may differ; see {@link Vm#check}.
   *
   * <p>KVM_CHECK_EXTENSION, virt/kvm/kvm_main.c:kvm_vm_ioctl_check_extension_generic.
   *
   * @return 0 if KVM does not have it, else 1 or what the capability says
   */
  public int check(Capability capability) {
    return fd.ioctl(KvmIoctls.KVM_CHECK_EXTENSION, capability.number());
  }

  /**
   * The types of VM that {@link #createVm} makes here. That the kernel offers a type does not mean
   * that the machine has a key or an address space identifier left for another VM.
   *
   * <p>KVM_CAP_VM_TYPES, since Linux 6.8; older kernels have only the default type. See
   * arch/x86/kvm/x86.c:kvm_vm_ioctl_check_extension.
   */
  public Set<VmType> vmTypes() {
    int bits = check(Capability.VM_TYPES);
    return bits == 0 ? Set.of(VmType.DEFAULT) : VmType.ofBits(bits);
  }

  /**
   * What CPUID can answer in a guest: the host's answers, less what KVM does not support.
   *
   * <p>KVM_GET_SUPPORTED_CPUID, arch/x86/kvm/cpuid.c:kvm_dev_ioctl_get_cpuid.
   */
  public List<CpuidEntry> supportedCpuid() {
    return CpuidCall.get(fd, KvmIoctls.KVM_GET_SUPPORTED_CPUID);
  }

  /**
   * The features of CPUID that KVM emulates, slowly, although the host lacks them.
   *
   * <p>KVM_GET_EMULATED_CPUID, since Linux 3.13, arch/x86/kvm/cpuid.c:kvm_dev_ioctl_get_cpuid.
   */
  public List<CpuidEntry> emulatedCpuid() {
    return CpuidCall.get(fd, KvmIoctls.KVM_GET_EMULATED_CPUID);
  }

  /**
   * The indexes of the model-specific registers that a vCPU has and that a snapshot needs.
   *
   * <p>KVM_GET_MSR_INDEX_LIST, arch/x86/kvm/x86.c:kvm_arch_dev_ioctl.
   */
  public List<Integer> msrIndexes() {
    return MsrCall.indexes(fd, KvmIoctls.KVM_GET_MSR_INDEX_LIST);
  }

  /**
   * The indexes of the model-specific registers that say what the processor can do.
   *
   * <p>KVM_GET_MSR_FEATURE_INDEX_LIST, since Linux 4.16, arch/x86/kvm/x86.c:kvm_arch_dev_ioctl.
   */
  public List<Integer> msrFeatureIndexes() {
    return MsrCall.indexes(fd, KvmIoctls.KVM_GET_MSR_FEATURE_INDEX_LIST);
  }

  /**
   * What the registers of {@link #msrFeatureIndexes} can have in a guest.
   *
   * <p>KVM_GET_MSRS on {@code /dev/kvm}, since Linux 4.16, arch/x86/kvm/x86.c:msr_io.
   *
   * @return fewer than asked for if one can't be read: the first that is missing
   * @throws KernelException E2BIG: 256 or more
   */
  public List<Msr> msrFeatures(List<Integer> indexes) {
    return MsrCall.get(fd, KvmIoctls.KVM_GET_MSRS, indexes);
  }

  /**
   * How much of a vCPU's descriptor is mapped, in bytes: struct kvm_run, the data of port I/O and
   * the ring of coalesced MMIO.
   *
   * <p>KVM_GET_VCPU_MMAP_SIZE, virt/kvm/kvm_main.c:kvm_dev_ioctl.
   */
  public int vcpuMmapBytes() {
    return fd.ioctl(KvmIoctls.KVM_GET_VCPU_MMAP_SIZE, 0);
  }

  /** The attributes of {@code /dev/kvm}, in the groups KVM_X86_GRP_SYSTEM and KVM_X86_GRP_SEV. */
  public DeviceAttributes attributes() {
    return DeviceAttributes.ofKvm(fd);
  }

  /**
   * What CPUID answers to a guest that uses Hyper-V's interface.
   *
   * <p>KVM_GET_SUPPORTED_HV_CPUID, since Linux 5.11, arch/x86/kvm/hyperv.c:kvm_get_hv_cpuid.
   *
   * @throws KernelException EINVAL: the kernel has no CONFIG_KVM_HYPERV
   */
  public List<CpuidEntry> supportedHyperVCpuid() {
    return CpuidCall.get(fd, KvmIoctls.KVM_GET_SUPPORTED_HV_CPUID);
  }

  /**
   * The features of IA32_MCG_CAP that a vCPU can have, a bit for each.
   *
   * <p>KVM_X86_GET_MCE_CAP_SUPPORTED, arch/x86/kvm/x86.c:kvm_arch_dev_ioctl.
   *
   * @see VcpuInjection#setUpMachineChecks
   */
  public long machineCheckFeatures() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment features = arena.allocate(ValueLayout.JAVA_LONG);
      fd.ioctl(KvmIoctls.KVM_X86_GET_MCE_CAP_SUPPORTED, features);
      return features.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  /**
   * Makes a VM without memory or vCPUs.
   *
   * <p>KVM_CREATE_VM, virt/kvm/kvm_main.c:kvm_dev_ioctl_create_vm.
   *
   * @throws KernelException EINVAL: the host has no such type; EBUSY: another hypervisor holds the
   *     processor; ENOMEM; EMFILE
   */
  public Vm createVm(VmType type) {
    int vcpuMmapBytes = vcpuMmapBytes();
    return new Vm(
        fd.ioctlFd(KvmIoctls.KVM_CREATE_VM, type.number(), "type " + type), type, vcpuMmapBytes);
  }

  /** Closes {@code /dev/kvm}; the VMs made from it live on. */
  @Override
  public void close() {
    fd.close();
  }
}
