package dev.iolite.kvm;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.Kvm;

/**
 * The time stamp counter and the paravirtual clock of a vCPU. Made by {@link Vcpu#clock}.
 *
 * <p>Like its vCPU, for use by one thread at a time.
 */
public final class VcpuClock {
  private final Fd vcpu;

  VcpuClock(Fd vcpu) {
    this.vcpu = vcpu;
  }

  /**
   * The rate of the guest's time stamp counter, in kHz.
   *
   * <p>KVM_GET_TSC_KHZ, arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl.
   */
  public int tscKhz() {
    return vcpu.ioctl(KvmIoctls.KVM_GET_TSC_KHZ_ON_VCPU, 0);
  }

  /**
   * Sets the rate of the guest's time stamp counter.
   *
   * <p>KVM_SET_TSC_KHZ, arch/x86/kvm/x86.c:kvm_set_tsc_khz.
   *
   * @param khz the rate in kHz; 0 for the host's
   * @throws KernelException EINVAL: too fast, slower than the host's on a processor that does not
   *     scale it ({@link Capability#TSC_CONTROL}), or the counter is protected from the host
   */
  public void setTscKhz(int khz) {
    vcpu.ioctl(KvmIoctls.KVM_SET_TSC_KHZ_ON_VCPU, Integer.toUnsignedLong(khz));
  }

  /**
   * What is added to the host's time stamp counter to get the guest's.
   *
   * <p>KVM_GET_DEVICE_ATTR with KVM_VCPU_TSC_OFFSET, since Linux 5.16,
   * arch/x86/kvm/x86.c:kvm_arch_tsc_get_attr.
   */
  public long tscOffset() {
    return attributes().get(Kvm.KVM_VCPU_TSC_CTRL(), Kvm.KVM_VCPU_TSC_OFFSET());
  }

  /**
   * Sets what is added to the host's time stamp counter to get the guest's.
   *
   * <p>KVM_SET_DEVICE_ATTR with KVM_VCPU_TSC_OFFSET, since Linux 5.16,
   * arch/x86/kvm/x86.c:kvm_arch_tsc_set_attr.
   */
  public void setTscOffset(long offset) {
    attributes().set(Kvm.KVM_VCPU_TSC_CTRL(), Kvm.KVM_VCPU_TSC_OFFSET(), offset);
  }

  private DeviceAttributes attributes() {
    return DeviceAttributes.ofVcpu(vcpu);
  }

  /**
   * Tells the guest that it was stopped, so that its watchdogs do not take that for a hang.
   *
   * <p>KVM_KVMCLOCK_CTRL, arch/x86/kvm/x86.c:kvm_set_guest_paused.
   *
   * @throws KernelException EINVAL: the guest does not use the paravirtual clock
   */
  public void guestWasPaused() {
    vcpu.ioctl(KvmIoctls.KVM_KVMCLOCK_CTRL, 0);
  }
}
