package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.kvm.kvm_cpuid;
import dev.iolite.uapi.kvm.kvm_cpuid2;
import dev.iolite.uapi.kvm.kvm_cpuid_entry;
import dev.iolite.uapi.kvm.kvm_sregs;
import java.lang.foreign.MemorySegment;

/** The CPUID that a vCPU's guest sees; none until KVM_SET_CPUID2. */
final class VcpuCpuid {
  private static final int SIZES = 0x8000_0008;
  private static final int EXTENDED_STATE = 0xd;
  private static final int LAST_EXTENDED = 0x8000_0000;

  /** The width of physical addresses on a processor that does not state it. */
  private static final int ADDRESS_BITS = 36;

  private static final int APIC = 9;
  private static final int OSXSAVE = 27;
  private static final int OSPKE = 4;
  private static final long APIC_ENABLED = 1 << 11;
  private static final long CR4_OSXSAVE = 1 << 18;
  private static final long CR4_PKE = 1 << 22;

  private final Task task;
  private final CpuidEntries supported;
  private final CpuState cpu;
  private CpuidEntries entries = CpuidEntries.allocate(0);

  VcpuCpuid(KvmVm vm, CpuState cpu) {
    task = vm.task();
    supported = HostCpuid.supported(vm.platform());
    this.cpu = cpu;
  }

  /**
   * KVM_SET_CPUID2; arch/x86/kvm/cpuid.c:kvm_vcpu_ioctl_set_cpuid2, kvm_set_cpuid.
   *
   * @param hasRun whether a guest has been entered; after that nothing can change
   * @throws dev.iolite.mock.core.Refused E2BIG, EFAULT, or EINVAL
   */
  void set(long argument, boolean hasRun) {
    int count = kvm_cpuid2.nent(task.in(argument, kvm_cpuid2.sizeof()));
    refuseIf(Integer.compareUnsigned(count, HostCpuid.MOST_ENTRIES) > 0, Errno.E2BIG);
    CpuidEntries given = CpuidEntries.allocate(count);
    task.user().read(argument + kvm_cpuid2.sizeof(), given.array());
    set(given, hasRun);
  }

  /** KVM_SET_CPUID; arch/x86/kvm/cpuid.c:kvm_vcpu_ioctl_set_cpuid. */
  void setWithoutSubleaves(long argument, boolean hasRun) {
    int count = kvm_cpuid.nent(task.in(argument, kvm_cpuid.sizeof()));
    refuseIf(Integer.compareUnsigned(count, HostCpuid.MOST_ENTRIES) > 0, Errno.E2BIG);
    MemorySegment entriesGiven =
        task.in(argument + kvm_cpuid.sizeof(), count * kvm_cpuid_entry.sizeof());
    CpuidEntries given = CpuidEntries.allocate(count);
    for (int i = 0; i < count; i++) {
      MemorySegment entry = kvm_cpuid_entry.asSlice(entriesGiven, i);
      given.setPlain(
          i,
          kvm_cpuid_entry.function(entry),
          kvm_cpuid_entry.eax(entry),
          kvm_cpuid_entry.ebx(entry),
          kvm_cpuid_entry.ecx(entry),
          kvm_cpuid_entry.edx(entry));
    }
    set(given, hasRun);
  }

  private void set(CpuidEntries given, boolean hasRun) {
    showState(given);
    if (hasRun) {
      showState(entries);
      refuseIf(!given.isSameAs(entries), Errno.EINVAL);
      return;
    }
    // arch/x86/kvm/cpuid.c:kvm_check_cpuid
    int linear = given.register(SIZES, 0, CpuidEntries.EAX) >> Byte.SIZE & 0xff;
    refuseIf(linear != 0 && linear != 48 && linear != 57, Errno.EINVAL);
    entries = given;
  }

  /** KVM_GET_CPUID2; arch/x86/kvm/cpuid.c:kvm_vcpu_ioctl_get_cpuid2. */
  void get(long argument) {
    MemorySegment head = task.in(argument, kvm_cpuid2.sizeof());
    refuseIf(Integer.compareUnsigned(kvm_cpuid2.nent(head), entries.count()) < 0, Errno.E2BIG);
    showState(entries);
    task.out(argument + kvm_cpuid2.sizeof(), entries.array());
    kvm_cpuid2.nent(head, entries.count());
    task.out(argument, head);
  }

  /** arch/x86/kvm/cpuid.c:kvm_update_cpuid_runtime: the bits that follow the vCPU's registers. */
  private void showState(CpuidEntries shown) {
    long cr4 = kvm_sregs.cr4(cpu.special());
    boolean apic = (kvm_sregs.apic_base(cpu.special()) & APIC_ENABLED) != 0;
    shown.change(1, CpuidEntries.ECX, OSXSAVE, (cr4 & CR4_OSXSAVE) != 0);
    shown.change(1, CpuidEntries.EDX, APIC, apic);
    shown.change(7, CpuidEntries.ECX, OSPKE, (cr4 & CR4_PKE) != 0);
  }

  /** guest_cpu_cap_has: whether the guest is shown a feature that KVM supports. */
  boolean has(CpuFeature feature) {
    return supported.has(feature) && entries.has(feature);
  }

  /** guest_supported_xcr0; arch/x86/kvm/cpuid.c:cpuid_get_supported_xcr0. */
  long supportedXcr0() {
    return entries.register(EXTENDED_STATE, 0, CpuidEntries.EAX) & FpuArea.COMPONENTS;
  }

  /** kvm_cpu_cap_has. */
  boolean isSupported(CpuFeature feature) {
    return supported.has(feature);
  }

  /** arch/x86/kvm/cpuid.c:kvm_vcpu_reserved_gpa_bits_raw, cpuid_query_maxphyaddr. */
  long reservedAddressBits() {
    int last = entries.register(LAST_EXTENDED, 0, CpuidEntries.EAX);
    boolean tells = Integer.compareUnsigned(last, SIZES) >= 0 && entries.hasLeaf(SIZES);
    int bits = tells ? entries.register(SIZES, 0, CpuidEntries.EAX) & 0xff : ADDRESS_BITS;
    return bits >= Long.SIZE ? 0 : -1L << bits;
  }
}
