package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.kvm_clear_dirty_log;
import dev.iolite.uapi.kvm.kvm_dirty_log;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;

/** Tells the VM's owner which pages of a slot a guest has written. */
final class DirtyLog {
  /** How much of a bitmap is copied at once, in bytes. */
  private static final int CHUNK = 32 << 10;

  private DirtyLog() {}

  /** virt/kvm/kvm_main.c:kvm_get_dirty_log_protect. */
  static void get(KvmVm vm, MemorySegment argument) {
    refuseIf(vm.dirtyRings().bytes() != 0, Errno.ENXIO);
    KvmMemorySlot slot = slot(vm, kvm_dirty_log.slot(argument));
    BitSet dirty = slot.dirty().orElseThrow(() -> refused(Errno.ENOENT));
    BitSet copy = (BitSet) dirty.clone();
    if (vm.manualDirtyLog() == 0) {
      dirty.clear();
    }
    long to = kvm_dirty_log.dirty_bitmap(argument).address();
    long bytes = bitmapBytes(slot.pages());
    MemorySegment chunk = vm.task().scratch(CHUNK);
    for (long at = 0; at < bytes; at += CHUNK) {
      long part = Math.min(CHUNK, bytes - at);
      chunk.fill((byte) 0);
      int first = (int) (at * Byte.SIZE);
      int end = (int) ((at + part) * Byte.SIZE - 1);
      for (int page = copy.nextSetBit(first);
          page >= 0 && page <= end;
          page = copy.nextSetBit(page + 1)) {
        int index = (page - first) / Byte.SIZE;
        byte bits = chunk.get(ValueLayout.JAVA_BYTE, index);
        chunk.set(ValueLayout.JAVA_BYTE, index, (byte) (bits | 1 << (page % Byte.SIZE)));
      }
      vm.task().out(to + at, chunk.asSlice(0, part));
    }
  }

  /** virt/kvm/kvm_main.c:kvm_clear_dirty_log_protect. */
  static void clear(KvmVm vm, MemorySegment argument) {
    refuseIf(vm.dirtyRings().bytes() != 0, Errno.ENXIO);
    int number = kvm_clear_dirty_log.slot(argument);
    requireNumber(vm, number);
    long first = kvm_clear_dirty_log.first_page(argument);
    refuseIf((first & 63) != 0, Errno.EINVAL);
    KvmMemorySlot slot = slot(vm, number);
    BitSet dirty = slot.dirty().orElseThrow(() -> refused(Errno.ENOENT));
    long count = Integer.toUnsignedLong(kvm_clear_dirty_log.num_pages(argument));
    long left = slot.pages() - first;
    refuseIf(
        Long.compareUnsigned(first, slot.pages()) > 0
            || count > left
            || (count < left && (count & 63) != 0),
        Errno.EINVAL);
    long from = kvm_clear_dirty_log.dirty_bitmap(argument).address();
    long bytes = bitmapBytes(count);
    MemorySegment chunk = vm.task().scratch(CHUNK);
    for (long at = 0; at < bytes; at += CHUNK) {
      MemorySegment part = chunk.asSlice(0, Math.min(CHUNK, bytes - at));
      vm.task().user().read(from + at, part);
      for (long i = 0; i < part.byteSize() * Byte.SIZE && at * Byte.SIZE + i < count; i++) {
        if ((part.get(ValueLayout.JAVA_BYTE, i / Byte.SIZE) >> (i % Byte.SIZE) & 1) != 0) {
          dirty.clear((int) (first + at * Byte.SIZE + i));
        }
      }
    }
  }

  private static long bitmapBytes(long pages) {
    return (pages + Long.SIZE - 1) / Long.SIZE * Long.BYTES;
  }

  private static void requireNumber(KvmVm vm, int number) {
    refuseIf(
        number >>> 16 >= vm.addressSpaces() || (number & 0xffff) >= KvmCapabilities.USER_MEM_SLOTS,
        Errno.EINVAL);
  }

  private static KvmMemorySlot slot(KvmVm vm, int number) {
    requireNumber(vm, number);
    return vm.slots().of(number).orElseThrow(() -> refused(Errno.ENOENT));
  }
}
