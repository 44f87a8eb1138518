package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.kvm.kvm_cpuid2;
import dev.iolite.uapi.kvm.kvm_tdx_capabilities;
import java.lang.foreign.MemorySegment;

/** What the TDX module lets the owner of a trust domain configure. */
final class TdxCpuid {
  /** SEPT_VE_DISABLE. */
  static final long SUPPORTED_ATTRIBUTES = 1L << 28;

  /** x87, SSE, AVX, AVX-512 and PKRU. */
  static final long SUPPORTED_XFAM = 0x2e7;

  /** TDVMCALLINFO_SETUP_EVENT_NOTIFY_INTERRUPT. */
  private static final long CALLS_OF_USER_SPACE = 1 << 1;

  private static final int EXTENDED_SIZES = 0x8000_0008;

  /** The configurable leaves, each without subleaves or with subleaf 0. */
  private static final int[] CONFIGURABLE = {1, 4, 7, EXTENDED_SIZES};

  /** HLE and RTM in EBX, WAITPKG in ECX of leaf 7: what KVM has no support for. */
  private static final int TSX = 1 << 4 | 1 << 11;

  private static final int WAITPKG = 1 << 5;

  private static final int EXTENDED = 0x8000_0000;
  private static final int LAST_BASIC = 7;
  private static final int GUEST_BITS_SHIFT = 16;

  private TdxCpuid() {}

  /** arch/x86/kvm/vmx/tdx.c:tdx_get_capabilities. */
  static void capabilities(KvmVm vm, long data) {
    Task task = vm.task();
    MemorySegment capabilities = task.in(data, kvm_tdx_capabilities.sizeof());
    int room = kvm_cpuid2.nent(kvm_tdx_capabilities.cpuid(capabilities));
    refuseIf(Integer.compareUnsigned(room, CONFIGURABLE.length) < 0, Errno.E2BIG);
    capabilities.fill((byte) 0);
    kvm_tdx_capabilities.supported_attrs(capabilities, SUPPORTED_ATTRIBUTES);
    kvm_tdx_capabilities.supported_xfam(capabilities, SUPPORTED_XFAM);
    kvm_tdx_capabilities.user_tdvmcallinfo_1_r11(capabilities, CALLS_OF_USER_SPACE);
    kvm_cpuid2.nent(kvm_tdx_capabilities.cpuid(capabilities), CONFIGURABLE.length);
    task.out(data, capabilities);
    CpuidEntries entries = CpuidEntries.allocate(CONFIGURABLE.length);
    for (int i = 0; i < CONFIGURABLE.length; i++) {
      entries.setPlain(i, CONFIGURABLE[i], configurableBits(CONFIGURABLE[i]), 0, 0, 0);
    }
    task.out(data + kvm_tdx_capabilities.sizeof(), entries.array());
  }

  /** Those in EAX; none in the other registers. */
  private static int configurableBits(int leaf) {
    return leaf == EXTENDED_SIZES ? 0xff_ffff : -1;
  }

  /** Copies the entries that a caller gave. */
  static CpuidEntries read(Task task, long address, int count) {
    CpuidEntries entries = CpuidEntries.allocate(count);
    task.user().read(address, entries.array());
    return entries;
  }

  /** arch/x86/kvm/vmx/tdx.c:setup_tdparams_eptp_controls: 48 or 52, otherwise EINVAL. */
  static int guestAddressBits(CpuidEntries given) {
    refuseIf(!given.hasLeaf(EXTENDED_SIZES), Errno.EINVAL);
    int bits = given.register(EXTENDED_SIZES, 0, CpuidEntries.EAX) >> GUEST_BITS_SHIFT & 0xff;
    refuseIf(bits != 48 && bits != 52, Errno.EINVAL);
    return bits;
  }

  /**
   * arch/x86/kvm/vmx/tdx.c:setup_tdparams_cpuids: EINVAL for a leaf that can't be configured, and
   * for a feature that KVM does not support.
   */
  static void requireConfigurable(CpuidEntries given) {
    refuseIf((given.register(7, 0, CpuidEntries.EBX) & TSX) != 0, Errno.EINVAL);
    refuseIf((given.register(7, 0, CpuidEntries.ECX) & WAITPKG) != 0, Errno.EINVAL);
    int known = 0;
    for (int leaf : CONFIGURABLE) {
      known += given.hasLeaf(leaf) ? 1 : 0;
    }
    refuseIf(known != given.count(), Errno.EINVAL);
  }

  /** Whether a leaf has a bit that the TDX module does not let the owner configure. */
  static boolean hasFixedBits(CpuidEntries given) {
    for (int leaf : CONFIGURABLE) {
      int others =
          given.register(leaf, 0, CpuidEntries.EBX)
              | given.register(leaf, 0, CpuidEntries.ECX)
              | given.register(leaf, 0, CpuidEntries.EDX);
      int fixed = given.register(leaf, 0, CpuidEntries.EAX) & ~configurableBits(leaf);
      if ((others | fixed) != 0) {
        return true;
      }
    }
    return false;
  }

  /**
   * arch/x86/kvm/vmx/tdx.c:tdx_vcpu_get_cpuid: what the guest sees, from leaf 0 to the last one, or
   * E2BIG with the number of entries. Every domain has x2APIC.
   */
  static void get(Task task, long data, CpuidEntries configured, int guestAddressBits) {
    MemorySegment head = task.in(data, kvm_cpuid2.sizeof());
    int room = kvm_cpuid2.nent(head);
    CpuidEntries seen = seen(configured, guestAddressBits);
    kvm_cpuid2.nent(head, seen.count());
    task.out(data, head);
    refuseIf(Integer.compareUnsigned(room, seen.count()) < 0, Errno.E2BIG);
    task.out(data + kvm_cpuid2.sizeof(), seen.array());
  }

  private static CpuidEntries seen(CpuidEntries configured, int guestAddressBits) {
    CpuidEntries seen = CpuidEntries.allocate(6);
    seen.set(0, 0, LAST_BASIC, 0, 0, 0);
    seen.set(1, 1, configured.register(1, 0, CpuidEntries.EAX), 0, 1 << CpuFeature.X2APIC.bit, 0);
    seen.set(2, 4, configured.register(4, 0, CpuidEntries.EAX), 0, 0, 0);
    seen.set(3, 7, configured.register(7, 0, CpuidEntries.EAX), 0, 0, 0);
    seen.set(4, EXTENDED, EXTENDED_SIZES, 0, 0, 0);
    int sizes = configured.register(EXTENDED_SIZES, 0, CpuidEntries.EAX) & 0xffff;
    seen.set(5, EXTENDED_SIZES, sizes | guestAddressBits << GUEST_BITS_SHIFT, 0, 0, 0);
    return seen;
  }
}
