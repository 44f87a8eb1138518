package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.kvm.kvm_cpuid2;
import dev.iolite.uapi.kvm.kvm_cpuid_entry2;
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
    writeLeaves(task, data + kvm_tdx_capabilities.sizeof());
  }

  private static void writeLeaves(Task task, long to) {
    MemorySegment entries = task.scratch(CONFIGURABLE.length * kvm_cpuid_entry2.sizeof());
    for (int i = 0; i < CONFIGURABLE.length; i++) {
      MemorySegment entry = kvm_cpuid_entry2.asSlice(entries, i);
      kvm_cpuid_entry2.function(entry, CONFIGURABLE[i]);
      kvm_cpuid_entry2.eax(entry, CONFIGURABLE[i] == EXTENDED_SIZES ? 0xff_ffff : -1);
    }
    task.out(to, entries);
  }

  /** Copies the entries that a caller gave. */
  static MemorySegment read(Task task, long address, int entries) {
    return task.in(address, entries * kvm_cpuid_entry2.sizeof());
  }

  private static int find(MemorySegment entries, int count, int function) {
    for (int i = 0; i < count; i++) {
      MemorySegment entry = kvm_cpuid_entry2.asSlice(entries, i);
      if (kvm_cpuid_entry2.function(entry) == function && kvm_cpuid_entry2.index(entry) == 0) {
        return i;
      }
    }
    return -1;
  }

  /** arch/x86/kvm/vmx/tdx.c:setup_tdparams_eptp_controls: 48 or 52, otherwise EINVAL. */
  static int guestAddressBits(MemorySegment entries, int count) {
    int sizes = find(entries, count, EXTENDED_SIZES);
    refuseIf(sizes < 0, Errno.EINVAL);
    int bits = kvm_cpuid_entry2.eax(kvm_cpuid_entry2.asSlice(entries, sizes)) >> 16 & 0xff;
    refuseIf(bits != 48 && bits != 52, Errno.EINVAL);
    return bits;
  }

  /** arch/x86/kvm/vmx/tdx.c:setup_tdparams_cpuids: EINVAL for a leaf that can't be configured. */
  static void requireConfigurable(MemorySegment entries, int count) {
    int known = 0;
    for (int leaf : CONFIGURABLE) {
      known += find(entries, count, leaf) >= 0 ? 1 : 0;
    }
    refuseIf(known != count, Errno.EINVAL);
  }

  /** arch/x86/kvm/vmx/tdx.c:tdx_vcpu_get_cpuid: E2BIG with the number of entries. */
  static void get(KvmVm vm, long data) {
    Task task = vm.task();
    MemorySegment head = task.in(data, kvm_cpuid2.sizeof());
    int room = kvm_cpuid2.nent(head);
    kvm_cpuid2.nent(head, CONFIGURABLE.length);
    task.out(data, head);
    refuseIf(Integer.compareUnsigned(room, CONFIGURABLE.length) < 0, Errno.E2BIG);
    writeLeaves(task, data + kvm_cpuid2.sizeof());
  }
}
