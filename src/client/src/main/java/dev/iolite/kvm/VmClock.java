package dev.iolite.kvm;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_clock_data;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;

/**
 * The paravirtual clock of a VM, and the rate of its time stamp counters. See {@link Vm#clock}.
 *
 * <p>Safe for use by several threads.
 */
public final class VmClock {
  private final Fd vm;

  VmClock(Fd vm) {
    this.vm = vm;
  }

  /**
   * A moment on the clock.
   *
   * @param nanos the guest's time, in nanoseconds
   * @param isTscStable whether all vCPUs see the same time
   * @param realtimeNanos the host's real time at that moment, since 1970; empty if the host can't
   *     say
   * @param hostTsc the host's time stamp counter at that moment; empty if the host can't say
   */
  public record Moment(
      long nanos, boolean isTscStable, OptionalLong realtimeNanos, OptionalLong hostTsc) {

    /** A moment that says nothing about the host. */
    public static Moment of(long nanos) {
      return new Moment(nanos, false, OptionalLong.empty(), OptionalLong.empty());
    }
  }

  /**
   * The time on the clock.
   *
   * <p>KVM_GET_CLOCK, arch/x86/kvm/x86.c:get_kvmclock.
   */
  public Moment now() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = kvm_clock_data.allocate(arena);
      vm.ioctl(KvmIoctls.KVM_GET_CLOCK, data);
      int flags = kvm_clock_data.flags(data);
      return new Moment(
          kvm_clock_data.clock(data),
          (flags & Kvm.KVM_CLOCK_TSC_STABLE()) != 0,
          (flags & Kvm.KVM_CLOCK_REALTIME()) != 0
              ? OptionalLong.of(kvm_clock_data.realtime(data))
              : OptionalLong.empty(),
          (flags & Kvm.KVM_CLOCK_HOST_TSC()) != 0
              ? OptionalLong.of(kvm_clock_data.host_tsc(data))
              : OptionalLong.empty());
    }
  }

  /**
   * Sets the clock.
   *
   * <p>KVM_SET_CLOCK, arch/x86/kvm/x86.c:kvm_vm_ioctl_set_clock.
   *
   * @param moment what the clock shows now; if it has a real time, the time that has passed since
   *     is added
   */
  public void set(Moment moment) {
    int flags = moment.isTscStable() ? Kvm.KVM_CLOCK_TSC_STABLE() : 0;
    flags |= moment.realtimeNanos().isPresent() ? Kvm.KVM_CLOCK_REALTIME() : 0;
    flags |= moment.hostTsc().isPresent() ? Kvm.KVM_CLOCK_HOST_TSC() : 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = kvm_clock_data.allocate(arena);
      kvm_clock_data.clock(data, moment.nanos());
      kvm_clock_data.flags(data, flags);
      kvm_clock_data.realtime(data, moment.realtimeNanos().orElse(0));
      kvm_clock_data.host_tsc(data, moment.hostTsc().orElse(0));
      vm.ioctl(KvmIoctls.KVM_SET_CLOCK, data);
    }
  }

  /**
   * The rate that the time stamp counters of new vCPUs have, in kHz.
   *
   * <p>KVM_GET_TSC_KHZ on the VM, since Linux 5.18, arch/x86/kvm/x86.c:kvm_arch_vm_ioctl.
   */
  public int tscKhz() {
    return vm.ioctl(KvmIoctls.KVM_GET_TSC_KHZ, 0);
  }

  /**
   * Sets the rate that the time stamp counters of new vCPUs have.
   *
   * <p>Without it, that is the rate that the host knew when KVM began. If the host has measured it
   * anew since, and the processor can't scale, deadline timers of the vCPUs may never fire
   * (arch/x86/kvm/x86.c:set_tsc_khz).
   *
   * <p>KVM_SET_TSC_KHZ on the VM, since Linux 5.18, arch/x86/kvm/x86.c:kvm_arch_vm_ioctl.
   *
   * @param khz the rate in kHz; 0 for the host's, as it knows it now
   * @throws KernelException EINVAL: too fast, or the VM has vCPUs already
   */
  public void setTscKhz(int khz) {
    vm.ioctl(KvmIoctls.KVM_SET_TSC_KHZ, Integer.toUnsignedLong(khz));
  }
}
