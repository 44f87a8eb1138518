package dev.iolite.kvm;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.kvm.kvm_msr_entry;
import dev.iolite.uapi.kvm.kvm_msr_list;
import dev.iolite.uapi.kvm.kvm_msrs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.IntStream;

/** The calls with a list of model-specific registers. */
final class MsrCall {
  private MsrCall() {}

  /** Asks for the indexes of registers: first for their number (E2BIG), then for them. */
  static List<Integer> indexes(Fd fd, Ioctl command) {
    int room = 0;
    while (true) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment list =
            arena.allocate(
                kvm_msr_list.sizeof() + (long) room * Integer.BYTES,
                kvm_msr_list.layout().byteAlignment());
        kvm_msr_list.nmsrs(list, room);
        int result = fd.ioctl(command, list, Errno.E2BIG);
        int count = kvm_msr_list.nmsrs(list);
        if (result == 0 && count <= room) {
          return IntStream.range(0, count)
              .mapToObj(i ->
                  list.get(ValueLayout.JAVA_INT, kvm_msr_list.sizeof() + (long) i * Integer.BYTES))
              .toList();
        }
        if (count <= room) {
          throw fd.malformed(command, list, result, ", but there is room for all of them");
        }
        room = count;
      }
    }
  }

  /** Reads registers; the kernel stops at the first that it can't read. */
  static List<Msr> get(Fd fd, Ioctl command, List<Integer> indexes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment list = list(arena, indexes.size());
      for (int i = 0; i < indexes.size(); i++) {
        kvm_msr_entry.index(entry(list, i), indexes.get(i));
      }
      int done = fd.ioctl(command, list);
      return IntStream.range(0, Math.min(done, indexes.size()))
          .mapToObj(i -> new Msr(indexes.get(i), kvm_msr_entry.data(entry(list, i))))
          .toList();
    }
  }

  /** Writes registers; the kernel stops at the first that it can't write. */
  static int set(Fd fd, Ioctl command, List<Msr> msrs) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment list = list(arena, msrs.size());
      for (int i = 0; i < msrs.size(); i++) {
        kvm_msr_entry.index(entry(list, i), msrs.get(i).index());
        kvm_msr_entry.data(entry(list, i), msrs.get(i).value());
      }
      return fd.ioctl(command, list);
    }
  }

  private static MemorySegment list(Arena arena, int count) {
    MemorySegment list =
        arena.allocate(
            kvm_msrs.sizeof() + count * kvm_msr_entry.sizeof(), kvm_msrs.layout().byteAlignment());
    kvm_msrs.nmsrs(list, count);
    return list;
  }

  private static MemorySegment entry(MemorySegment list, int index) {
    return kvm_msr_entry.asSlice(list.asSlice(kvm_msrs.sizeof()), index);
  }
}
