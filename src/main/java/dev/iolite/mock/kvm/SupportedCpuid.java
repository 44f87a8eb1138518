package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.kvm.kvm_cpuid2;
import dev.iolite.uapi.kvm.kvm_cpuid_entry2;
import java.lang.foreign.MemorySegment;

/** KVM_GET_SUPPORTED_CPUID, with the leaves that name the processor and KVM, and no more. */
final class SupportedCpuid {
  private static final int KVM_SIGNATURE = 0x4000_0000;
  private static final int EXTENDED = 0x8000_0000;

  private SupportedCpuid() {}

  /**
   * arch/x86/kvm/cpuid.c:kvm_dev_ioctl_get_cpuid: EFAULT; E2BIG if not every entry has room, and
   * then none is written.
   */
  static void get(Task task, KvmPlatform platform, long argument) {
    MemorySegment head = task.in(argument, kvm_cpuid2.sizeof());
    int room = kvm_cpuid2.nent(head);
    int[][] leaves = leaves(platform);
    refuseIf(Integer.compareUnsigned(room, leaves.length) < 0, Errno.E2BIG);
    MemorySegment entries = task.scratch(leaves.length * kvm_cpuid_entry2.sizeof());
    for (int i = 0; i < leaves.length; i++) {
      MemorySegment entry = kvm_cpuid_entry2.asSlice(entries, i);
      kvm_cpuid_entry2.function(entry, leaves[i][0]);
      kvm_cpuid_entry2.eax(entry, leaves[i][1]);
      kvm_cpuid_entry2.ebx(entry, leaves[i][2]);
      kvm_cpuid_entry2.ecx(entry, leaves[i][3]);
      kvm_cpuid_entry2.edx(entry, leaves[i][4]);
    }
    task.out(argument + kvm_cpuid2.sizeof(), entries);
    kvm_cpuid2.nent(head, leaves.length);
    task.out(argument, head);
  }

  private static int[][] leaves(KvmPlatform platform) {
    boolean amd = !platform.hasTdx();
    return new int[][] {
      vendor(0, 1, amd ? "AuthenticAMD" : "GenuineIntel"),
      {1, amd ? 0x0080_0f12 : 0x000c_06f0, 0, 1 << 31 | 1 << 23 | 1 << 13, 0x178b_fbff},
      signature(),
      {KVM_SIGNATURE + 1, 0, 0, 0, 0},
      vendor(EXTENDED, EXTENDED + 8, amd ? "AuthenticAMD" : ""),
      {EXTENDED + 1, 0, 0, 1, 1 << 29 | 1 << 20},
      {EXTENDED + 8, 48 << 8 | platform.physicalAddressBits(), 0, 0, 0},
    };
  }

  /** A leaf that names somebody in EBX, EDX, ECX. */
  private static int[] vendor(int leaf, int last, String name) {
    return new int[] {leaf, last, word(name, 0), word(name, 8), word(name, 4)};
  }

  /** KVM's own: its name is in EBX, ECX, EDX. */
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
