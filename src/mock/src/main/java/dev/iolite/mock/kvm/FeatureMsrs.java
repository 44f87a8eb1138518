package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.kvm.kvm_msr_entry;
import dev.iolite.uapi.kvm.kvm_msr_list;
import dev.iolite.uapi.kvm.kvm_msrs;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;

/** The MSRs that describe what KVM supports; {@code /dev/kvm} itself returns them. */
final class FeatureMsrs {
  private static final int UCODE_REVISION = 0x8b;
  private static final int PLATFORM_INFO = 0xce;
  private static final int ARCH_CAPABILITIES = 0x10a;
  private static final int PERF_CAPABILITIES = 0x345;
  private static final int AMD_DE_CFG = 0xc001_1029;
  private static final long CPUID_FAULTING = 1L << 31;
  private static final long LFENCE_SERIALIZES = 1 << 1;
  private static final long RDCL_NO = 1;
  private static final long MDS_NO = 1 << 5;
  private static final long PSCHANGE_MC_NO = 1 << 6;

  /** arch/x86/kvm/msrs.c: MAX_IO_MSRS. */
  private static final int MOST_MSRS = 256;

  private FeatureMsrs() {}

  /** arch/x86/kvm/msrs.c:msr_based_features_all_except_vmx, kvm_get_feature_msr. */
  private static Map<Integer, Long> values(KvmPlatform platform) {
    Map<Integer, Long> values = new LinkedHashMap<>();
    if (!platform.hasTdx()) {
      values.put(AMD_DE_CFG, LFENCE_SERIALIZES);
    }
    values.put(UCODE_REVISION, 0L);
    values.put(ARCH_CAPABILITIES, RDCL_NO | MDS_NO | PSCHANGE_MC_NO);
    values.put(PERF_CAPABILITIES, 0L);
    values.put(PLATFORM_INFO, CPUID_FAULTING);
    return values;
  }

  /**
   * KVM_GET_MSR_FEATURE_INDEX_LIST; arch/x86/kvm/msrs.c:kvm_get_feature_msr_index_list: E2BIG, with
   * their number.
   */
  static void list(Task task, KvmPlatform platform, long argument) {
    MemorySegment head = task.in(argument, kvm_msr_list.sizeof());
    int room = kvm_msr_list.nmsrs(head);
    int[] indices = values(platform).keySet().stream().mapToInt(Integer::intValue).toArray();
    kvm_msr_list.nmsrs(head, indices.length);
    task.out(argument, head);
    refuseIf(Integer.compareUnsigned(room, indices.length) < 0, Errno.E2BIG);
    task.out(argument + kvm_msr_list.sizeof(), MemorySegment.ofArray(indices));
  }

  /**
   * KVM_GET_MSRS of {@code /dev/kvm}; arch/x86/kvm/msrs.c:msr_io.
   *
   * @return how many were read: those before the first that does not exist
   */
  static int get(Task task, KvmPlatform platform, long argument) {
    MemorySegment head = task.in(argument, kvm_msrs.sizeof());
    int count = kvm_msrs.nmsrs(head);
    refuseIf(Integer.compareUnsigned(count, MOST_MSRS) >= 0, Errno.E2BIG);
    long at = argument + kvm_msrs.sizeof();
    MemorySegment entries = task.in(at, count * kvm_msr_entry.sizeof());
    Map<Integer, Long> values = values(platform);
    int read = 0;
    for (; read < count; read++) {
      MemorySegment entry = kvm_msr_entry.asSlice(entries, read);
      Long value = values.get(kvm_msr_entry.index(entry));
      if (value == null) {
        break;
      }
      kvm_msr_entry.data(entry, value);
    }
    task.out(at, entries);
    return read;
  }
}
