package dev.iolite.kvm;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.kvm_cpuid;
import dev.iolite.uapi.kvm.kvm_cpuid2;
import dev.iolite.uapi.kvm.kvm_cpuid_entry;
import dev.iolite.uapi.kvm.kvm_cpuid_entry2;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** The calls with a list of CPUID leaves. */
final class CpuidCall {
  /** KVM_MAX_CPUID_ENTRIES of arch/x86/include/asm/kvm_host.h. */
  static final int MOST = 256;

  private CpuidCall() {}

  /** Asks for a list, with twice the room whenever there was too little (E2BIG). */
  static List<CpuidEntry> get(Fd fd, Ioctl command) {
    for (int room = MOST; ; room *= 2) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment list = list(arena, room);
        if (fd.ioctl(command, list, Errno.E2BIG) == 0) {
          int count = kvm_cpuid2.nent(list);
          if (count < 0 || count > room) {
            throw fd.malformed(command, list, 0, ", but more entries than there is room for");
          }
          return entries(list, CpuidEntry::of);
        }
      }
    }
  }

  /** The entries of a list that has them, as read by {@link CpuidEntry#of} or the like. */
  static List<CpuidEntry> entries(MemorySegment list, Function<MemorySegment, CpuidEntry> read) {
    List<CpuidEntry> entries = new ArrayList<>();
    for (int i = 0; i < kvm_cpuid2.nent(list); i++) {
      entries.add(read.apply(entry(list, i)));
    }
    return List.copyOf(entries);
  }

  /** Fills a list that has room for the entries. */
  static void fill(MemorySegment list, List<CpuidEntry> entries) {
    kvm_cpuid2.nent(list, entries.size());
    for (int i = 0; i < entries.size(); i++) {
      entries.get(i).store(entry(list, i));
    }
  }

  static void set(Fd fd, Ioctl command, List<CpuidEntry> entries) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment list = list(arena, entries.size());
      fill(list, entries);
      fd.ioctl(command, list);
    }
  }

  /** KVM_SET_CPUID, whose entries have no index. */
  static void setWithoutIndexes(Fd fd, List<CpuidEntry> entries) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment list =
          arena.allocate(
              kvm_cpuid.sizeof() + entries.size() * kvm_cpuid_entry.sizeof(),
              kvm_cpuid.layout().byteAlignment());
      kvm_cpuid.nent(list, entries.size());
      for (int i = 0; i < entries.size(); i++) {
        CpuidEntry from = entries.get(i);
        MemorySegment to = kvm_cpuid_entry.asSlice(list.asSlice(kvm_cpuid.sizeof()), i);
        kvm_cpuid_entry.function(to, from.function());
        kvm_cpuid_entry.eax(to, from.eax());
        kvm_cpuid_entry.ebx(to, from.ebx());
        kvm_cpuid_entry.ecx(to, from.ecx());
        kvm_cpuid_entry.edx(to, from.edx());
      }
      fd.ioctl(KvmIoctls.KVM_SET_CPUID, list);
    }
  }

  private static MemorySegment list(Arena arena, int count) {
    MemorySegment list =
        arena.allocate(
            kvm_cpuid2.sizeof() + count * kvm_cpuid_entry2.sizeof(),
            kvm_cpuid2.layout().byteAlignment());
    kvm_cpuid2.nent(list, count);
    return list;
  }

  private static MemorySegment entry(MemorySegment list, int index) {
    return kvm_cpuid_entry2.asSlice(list.asSlice(kvm_cpuid2.sizeof()), index);
  }
}
