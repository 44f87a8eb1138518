package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.kvm.kvm_cpuid2;
import dev.iolite.uapi.kvm.kvm_cpuid_entry2;
import java.lang.foreign.MemorySegment;

/**
 * The CPUID that KVM offers to guests: KVM_GET_SUPPORTED_CPUID, with only the leaves that name the
 * processor and KVM, and KVM_GET_EMULATED_CPUID.
 */
final class HostCpuid {
  /** arch/x86/include/asm/kvm_host.h: KVM_MAX_CPUID_ENTRIES. */
  static final int MOST_ENTRIES = 256;

  private static final int KVM_SIGNATURE = 0x4000_0000;
  private static final int EXTENDED = 0x8000_0000;
  private static final int HYPERVISOR = 1 << 31;
  private static final int EXTENDED_STATE = 0xd;

  /** FXSAVE's area and the header. */
  private static final int XSAVE_BYTES = 576;

  private static final int XSAVE = 1 << 26;
  private static final int POPCNT = 1 << 23;
  private static final int MOVBE = 1 << 22;
  private static final int CMPXCHG16B = 1 << 13;
  private static final int PADDING_WORDS = 3;

  private HostCpuid() {}

  /** KVM_GET_SUPPORTED_CPUID. */
  static void getSupported(Task task, KvmPlatform platform, long argument) {
    put(task, argument, task.in(argument, kvm_cpuid2.sizeof()), supported(platform));
  }

  /**
   * KVM_GET_EMULATED_CPUID; arch/x86/kvm/cpuid.c:sanity_check_entries says EINVAL if padding is not
   * zero or can't be read.
   */
  static void getEmulated(Task task, long argument) {
    MemorySegment head = task.in(argument, kvm_cpuid2.sizeof());
    int room = kvm_cpuid2.nent(head);
    refuseIf(room == 0, Errno.E2BIG);
    int count = Integer.compareUnsigned(room, MOST_ENTRIES) > 0 ? MOST_ENTRIES : room;
    MemorySegment given = task.scratch(count * kvm_cpuid_entry2.sizeof());
    try {
      task.user().read(argument + kvm_cpuid2.sizeof(), given);
    } catch (Refused e) {
      throw refused(Errno.EINVAL);
    }
    for (int i = 0; i < count * PADDING_WORDS; i++) {
      MemorySegment entry = kvm_cpuid_entry2.asSlice(given, i / PADDING_WORDS);
      refuseIf(kvm_cpuid_entry2.padding(entry, i % PADDING_WORDS) != 0, Errno.EINVAL);
    }
    put(task, argument, head, emulated());
  }

  /**
   * arch/x86/kvm/cpuid.c:kvm_dev_ioctl_get_cpuid: EFAULT; E2BIG if not all entries fit, and then
   * none is written.
   */
  private static void put(Task task, long argument, MemorySegment head, CpuidEntries entries) {
    refuseIf(Integer.compareUnsigned(kvm_cpuid2.nent(head), entries.count()) < 0, Errno.E2BIG);
    task.out(argument + kvm_cpuid2.sizeof(), entries.array());
    kvm_cpuid2.nent(head, entries.count());
    task.out(argument, head);
  }

  /** arch/x86/kvm/cpuid.c:cpuid_func_emulated. */
  private static CpuidEntries emulated() {
    CpuidEntries entries = CpuidEntries.allocate(3);
    entries.set(0, 0, 7, 0, 0, 0);
    entries.set(1, 1, 0, 0, MOVBE, 0);
    entries.set(2, 7, 0, 0, 0, 0);
    return entries;
  }

  /** The CPUID that KVM supports on such a machine. */
  static CpuidEntries supported(KvmPlatform platform) {
    boolean amd = !platform.hasTdx();
    int features = HYPERVISOR | XSAVE | POPCNT | CMPXCHG16B | 1 << CpuFeature.X2APIC.bit;
    int[][] leaves = {
      vendor(0, EXTENDED_STATE, amd ? "AuthenticAMD" : "GenuineIntel"),
      {1, amd ? 0x0080_0f12 : 0x000c_06f0, 0, features, 0x178b_fbff},
      {EXTENDED_STATE, (int) FpuArea.COMPONENTS, XSAVE_BYTES, XSAVE_BYTES, 0},
      signature(),
      {KVM_SIGNATURE + 1, 0, 0, 0, 0},
      vendor(EXTENDED, EXTENDED + 8, amd ? "AuthenticAMD" : ""),
      {EXTENDED + 1, 0, 0, 1, 1 << CpuFeature.LONG_MODE.bit | 1 << CpuFeature.NX.bit},
      {EXTENDED + 8, 48 << 8 | platform.physicalAddressBits(), 0, 0, 0},
    };
    CpuidEntries entries = CpuidEntries.allocate(leaves.length);
    for (int i = 0; i < leaves.length; i++) {
      entries.set(i, leaves[i][0], leaves[i][1], leaves[i][2], leaves[i][3], leaves[i][4]);
    }
    return entries;
  }

  /** A leaf that contains a name in EBX, EDX, ECX. */
  private static int[] vendor(int leaf, int last, String name) {
    return new int[] {leaf, last, word(name, 0), word(name, 8), word(name, 4)};
  }

  /** KVM's own leaf, whose name is in EBX, ECX, EDX. */
  private static int[] signature() {
    return new int[] {
      KVM_SIGNATURE,
      KVM_SIGNATURE + 1,
      word("KVMKVMKVM", 0),
      word("KVMKVMKVM", 4),
      word("KVMKVMKVM", 8)
    };
  }

  private static int word(String name, int from) {
    int word = 0;
    for (int i = 0; i < Integer.BYTES && from + i < name.length(); i++) {
      word |= name.charAt(from + i) << (i * Byte.SIZE);
    }
    return word;
  }
}
