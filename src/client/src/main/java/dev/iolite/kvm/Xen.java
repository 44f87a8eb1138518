package dev.iolite.kvm;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.kvm_irq_routing_xen_evtchn;
import dev.iolite.uapi.kvm.kvm_xen_hvm_attr;
import dev.iolite.uapi.kvm.kvm_xen_hvm_config;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * Xen's interface to guests of a VM, as KVM has it: thin wrappers of its calls. Made by {@link
 * Vm#xen}; {@link Capability#XEN_HVM} says what there is.
 *
 * <p>Safe for use by several threads.
 */
public final class Xen {
  private final Fd vm;

  Xen(Fd vm) {
    this.vm = vm;
  }

  /**
   * Gives the guest the MSR with which it sets up its page of hypercalls.
   *
   * <p>KVM_XEN_HVM_CONFIG, arch/x86/kvm/xen.c:kvm_xen_hvm_config.
   *
   * @param msr the index of the MSR, KVM_XEN_MSR_MIN_INDEX to KVM_XEN_MSR_MAX_INDEX
   * @param flags KVM_XEN_HVM_CONFIG_ flags
   * @throws KernelException EINVAL: unknown flags, or no such MSR; ENOTTY: the kernel has no
   *     CONFIG_KVM_XEN
   */
  public void configure(int msr, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment config = kvm_xen_hvm_config.allocate(arena);
      kvm_xen_hvm_config.msr(config, msr);
      kvm_xen_hvm_config.flags(config, flags);
      vm.ioctl(KvmIoctls.KVM_XEN_HVM_CONFIG, config);
    }
  }

  /**
   * Reads an attribute.
   *
   * <p>KVM_XEN_HVM_GET_ATTR, since Linux 5.12, arch/x86/kvm/xen.c:kvm_xen_hvm_get_attr.
   *
   * @param type KVM_XEN_ATTR_TYPE_
   * @return the attribute's struct kvm_xen_hvm_attr
   * @throws KernelException EINVAL: no such attribute can be read; ENOTTY: the kernel has no
   *     CONFIG_KVM_XEN
   */
  public MemorySegment attribute(int type, Arena arena) {
    MemorySegment attribute = kvm_xen_hvm_attr.allocate(arena);
    kvm_xen_hvm_attr.type(attribute, (short) type);
    vm.ioctl(KvmIoctls.KVM_XEN_HVM_GET_ATTR, attribute);
    return attribute;
  }

  /**
   * Sets an attribute.
   *
   * <p>KVM_XEN_HVM_SET_ATTR, since Linux 5.12, arch/x86/kvm/xen.c:kvm_xen_hvm_set_attr.
   *
   * @param type KVM_XEN_ATTR_TYPE_
   * @param value fills the union of a struct kvm_xen_hvm_attr
   * @throws KernelException EINVAL: no such attribute, or a wrong value; ENOENT: no such port;
   *     ENOTTY: the kernel has no CONFIG_KVM_XEN
   */
  public void setAttribute(int type, Consumer<MemorySegment> value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attribute = kvm_xen_hvm_attr.allocate(arena);
      kvm_xen_hvm_attr.type(attribute, (short) type);
      value.accept(kvm_xen_hvm_attr.u(attribute));
      vm.ioctl(KvmIoctls.KVM_XEN_HVM_SET_ATTR, attribute);
    }
  }

  /**
   * Sends an event to the guest.
   *
   * <p>KVM_XEN_HVM_EVTCHN_SEND, since Linux 5.18, arch/x86/kvm/xen.c:kvm_xen_hvm_evtchn_send.
   *
   * @throws KernelException EINVAL: no such port or priority, or no such vCPU; ENOTTY: the kernel
   *     has no CONFIG_KVM_XEN
   */
  public void sendEvent(int port, int vcpu, int priority) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment event = kvm_irq_routing_xen_evtchn.allocate(arena);
      kvm_irq_routing_xen_evtchn.port(event, port);
      kvm_irq_routing_xen_evtchn.vcpu(event, vcpu);
      kvm_irq_routing_xen_evtchn.priority(event, priority);
      vm.ioctl(KvmIoctls.KVM_XEN_HVM_EVTCHN_SEND, event);
    }
  }
}
