package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.Kvm;

/** Settings that a VM's owner may make, most of them before the first vCPU; arch/x86/kvm/x86.c. */
final class VmSettings {
  /** arch/x86/include/asm/kvm_host.h: KVM_MIN_ALLOC_MMU_PAGES. */
  private static final long LEAST_SHADOW_PAGES = 64;

  /** The longest bus cycle, in nanoseconds, for which tmict_to_ns does not overflow 64 bits. */
  private static final long MOST_BUS_CYCLE_NANOS = Long.divideUnsigned(-1, 0xffff_ffffL * 128);

  private final KvmVm vm;
  private int bootVcpu;
  private int vcpuIds;
  private int tscKhz = KvmPlatform.TSC_KHZ;
  private long busCycleNanos = 1;
  private long msrExits;
  private boolean exceptionPayload;
  private boolean tripleFaultEvent;
  private boolean wideApicIds;
  private boolean haltsInGuest;

  VmSettings(KvmVm vm) {
    this.vm = vm;
  }

  /** KVM_SET_BOOT_CPU_ID. */
  void setBootVcpu(long id) {
    refuseIf(vm.hasVcpus(), Errno.EBUSY);
    int most = vcpuIds == 0 ? vm.platform().maxVcpuIds() : vcpuIds;
    refuseIf(Long.compareUnsigned(id, most) > 0, Errno.EINVAL);
    bootVcpu = (int) id;
  }

  /** kvm_vcpu_is_reset_bsp. */
  boolean isBootVcpu(int id) {
    return id == bootVcpu;
  }

  /** KVM_CAP_MAX_VCPU_ID, which can be enabled once. */
  void limitVcpuIds(long count) {
    refuseIf(Long.compareUnsigned(count, vm.platform().maxVcpuIds()) > 0, Errno.EINVAL);
    refuseIf(bootVcpu > count, Errno.EINVAL);
    refuseIf(vcpuIds != 0 && vcpuIds != count, Errno.EINVAL);
    vcpuIds = (int) count;
  }

  /** kvm_arch_vcpu_precreate. */
  void requireVcpuId(int id) {
    if (vcpuIds == 0) {
      vcpuIds = vm.platform().maxVcpuIds();
    }
    refuseIf(id >= vcpuIds, Errno.EINVAL);
  }

  /** KVM_GET_TSC_KHZ. */
  int tscKhz() {
    return tscKhz;
  }

  /** KVM_SET_TSC_KHZ; 0 is the machine's own. */
  void setTscKhz(int khz) {
    refuseIf(vm.hasVcpus(), Errno.EINVAL);
    tscKhz = khz == 0 ? KvmPlatform.TSC_KHZ : khz;
  }

  /** Whether a pending exception is told from an injected one. */
  boolean exceptionPayload() {
    return exceptionPayload;
  }

  /** KVM_CAP_EXCEPTION_PAYLOAD. */
  void setExceptionPayload(boolean on) {
    exceptionPayload = on;
  }

  /** Whether the events of a vCPU have the triple fault. */
  boolean tripleFaultEvent() {
    return tripleFaultEvent;
  }

  /** KVM_CAP_X86_TRIPLE_FAULT_EVENT. */
  void setTripleFaultEvent(boolean on) {
    tripleFaultEvent = on;
  }

  /** x2apic_format: ids of APICs have 32 bits. */
  boolean wideApicIds() {
    return wideApicIds;
  }

  /** KVM_X2APIC_API_USE_32BIT_IDS, which is never taken back. */
  void useWideApicIds() {
    wideApicIds = true;
  }

  /** Whether HLT stays in the guest. */
  boolean haltsInGuest() {
    return haltsInGuest;
  }

  /**
   * KVM_CAP_X86_DISABLE_EXITS, which is never taken back. The model's guests have neither MWAIT nor
   * PAUSE.
   */
  void disableExits(long exits) {
    refuseIf((exits & ~KvmCapabilities.DISABLE_EXITS) != 0 || vm.hasVcpus(), Errno.EINVAL);
    haltsInGuest |= (exits & Kvm.KVM_X86_DISABLE_EXITS_HLT()) != 0;
  }

  /** The KVM_MSR_EXIT_REASON_ bits for which an access to an MSR leaves the guest. */
  long msrExits() {
    return msrExits;
  }

  /** KVM_CAP_X86_USER_SPACE_MSR. */
  void setMsrExits(long reasons) {
    msrExits = reasons;
  }

  /** KVM_SET_NR_MMU_PAGES. The model has no shadow pages to free. */
  static void limitShadowPages(long pages) {
    refuseIf(Long.compareUnsigned(pages, LEAST_SHADOW_PAGES) < 0, Errno.EINVAL);
  }

  /** KVM_SET_IDENTITY_MAP_ADDR: the vCPUs run real mode themselves and need no such map. */
  void setIdentityMap(long argument) {
    refuseIf(vm.hasVcpus(), Errno.EINVAL);
    vm.task().in(argument, Long.BYTES);
  }

  /** The value of KVM_CAP_X86_APIC_BUS_CYCLES_NS. */
  int busCycleNanos() {
    return (int) busCycleNanos;
  }

  /** KVM_CAP_X86_APIC_BUS_CYCLES_NS. */
  void setBusCycleNanos(long nanos) {
    boolean overflows = Long.compareUnsigned(nanos, MOST_BUS_CYCLE_NANOS) > 0;
    refuseIf(nanos == 0 || overflows, Errno.EINVAL);
    refuseIf(!vm.hasIrqchip(), Errno.ENXIO);
    refuseIf(vm.hasVcpus(), Errno.EINVAL);
    busCycleNanos = nanos;
  }
}
