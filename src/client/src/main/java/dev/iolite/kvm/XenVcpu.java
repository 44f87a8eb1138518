package dev.iolite.kvm;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.kvm_xen_vcpu_attr;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * Xen's interface to the guest of a vCPU, as KVM has it. Made by {@link Vcpu#xen}.
 *
 * <p>Safe for use by several threads.
 */
public final class XenVcpu {
  private final Fd vcpu;

  XenVcpu(Fd vcpu) {
    this.vcpu = vcpu;
  }

  /**
   * Reads an attribute.
   *
   * <p>KVM_XEN_VCPU_GET_ATTR, since Linux 5.12, arch/x86/kvm/xen.c:kvm_xen_vcpu_get_attr.
   *
   * @param type KVM_XEN_VCPU_ATTR_TYPE_
   * @return the attribute's struct kvm_xen_vcpu_attr
   * @throws KernelException EINVAL: no such attribute can be read, or the kernel has no
   *     CONFIG_KVM_XEN; EOPNOTSUPP: the host does not measure that
   */
  public MemorySegment attribute(int type, Arena arena) {
    MemorySegment attribute = kvm_xen_vcpu_attr.allocate(arena);
    kvm_xen_vcpu_attr.type(attribute, (short) type);
    vcpu.ioctl(KvmIoctls.KVM_XEN_VCPU_GET_ATTR, attribute);
    return attribute;
  }

  /**
   * Sets an attribute.
   *
   * <p>KVM_XEN_VCPU_SET_ATTR, since Linux 5.12, arch/x86/kvm/xen.c:kvm_xen_vcpu_set_attr.
   *
   * @param type KVM_XEN_VCPU_ATTR_TYPE_
   * @param value fills the union of a struct kvm_xen_vcpu_attr
   * @throws KernelException EINVAL: no such attribute, a wrong value, or the kernel has no
   *     CONFIG_KVM_XEN; EOPNOTSUPP: the host does not measure that
   */
  public void setAttribute(int type, Consumer<MemorySegment> value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attribute = kvm_xen_vcpu_attr.allocate(arena);
      kvm_xen_vcpu_attr.type(attribute, (short) type);
      value.accept(kvm_xen_vcpu_attr.u(attribute));
      vcpu.ioctl(KvmIoctls.KVM_XEN_VCPU_SET_ATTR, attribute);
    }
  }
}
