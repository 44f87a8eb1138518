package dev.iolite.mock.device;

import dev.iolite.kernel.Page;
import dev.iolite.kernel.Registers;
import dev.iolite.mock.core.MappableMemory;
import dev.iolite.mock.core.Memory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Memory of a device. It is initially zero, and costs nothing where only zeros were written. */
public final class SparseMemory implements Memory, Registers {
  private static final int PAGE = (int) Page.BYTES;
  private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[PAGE]);
  private static final ValueLayout.OfShort INT16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong INT64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final long bytes;
  private final Map<Long, MemorySegment> pages = new HashMap<>();
  private Optional<MappableMemory> shown = Optional.empty();

  /** Makes memory of this size. */
  public SparseMemory(long bytes) {
    this.bytes = bytes;
  }

  /** Its size, in bytes. */
  public long bytes() {
    return bytes;
  }

  /** Moves it to where the caller has it mapped, and shows it there. */
  public void moveTo(MappableMemory mappable) {
    mappable.show();
    pages.forEach((number, page) -> part(mappable, number).copyFrom(page));
    pages.clear();
    shown = Optional.of(mappable);
  }

  /** Takes it back from where the caller has it mapped, and hides it there. */
  public void takeBack() {
    MappableMemory mappable = shown.orElseThrow();
    shown = Optional.empty();
    for (long at = mappable.nextTouched(0); at < bytes; at = mappable.nextTouched(at + PAGE)) {
      MemorySegment touched = part(mappable, at / PAGE);
      if (touched.mismatch(ZEROS) >= 0) {
        page(at).copyFrom(touched);
      }
    }
    mappable.hide();
  }

  /** Whether the caller has it mapped and reaches it. */
  public boolean isShown() {
    return shown.isPresent();
  }

  private static MemorySegment part(MappableMemory mappable, long number) {
    return mappable.segment().asSlice(number * PAGE, PAGE);
  }

  /** Makes all of it zeros. */
  public void clear() {
    shown.ifPresent(mappable -> mappable.clear(0, bytes));
    pages.clear();
  }

  /** Makes a range zeros. */
  public void clear(long offset, long count) {
    requireInside(offset, count);
    long end = offset + count;
    long at = offset;
    while (at < end) {
      long part = Math.min(PAGE - at % PAGE, end - at);
      if (part == PAGE && !isShown()) {
        pages.remove(at / PAGE);
      } else {
        long from = at % PAGE;
        written(at).ifPresent(page -> page.asSlice(from, part).fill((byte) 0));
      }
      at += part;
    }
  }

  @Override
  public void read(long offset, MemorySegment into) {
    requireInside(offset, into.byteSize());
    long done = 0;
    while (done < into.byteSize()) {
      long at = offset + done;
      long part = Math.min(PAGE - at % PAGE, into.byteSize() - done);
      MemorySegment page = written(at).orElse(ZEROS);
      MemorySegment.copy(page, at % PAGE, into, done, part);
      done += part;
    }
  }

  @Override
  public void write(long offset, MemorySegment from) {
    requireInside(offset, from.byteSize());
    long done = 0;
    while (done < from.byteSize()) {
      long at = offset + done;
      long part = Math.min(PAGE - at % PAGE, from.byteSize() - done);
      MemorySegment.copy(from, done, page(at), at % PAGE, part);
      done += part;
    }
  }

  @Override
  public long read(long offset, int width) {
    requireInside(offset, width);
    MemorySegment page = written(offset).orElse(ZEROS);
    long at = offset % PAGE;
    return switch (width) {
      case 1 -> Byte.toUnsignedLong(page.get(ValueLayout.JAVA_BYTE, at));
      case 2 -> Short.toUnsignedLong(page.get(INT16, at));
      case 4 -> Integer.toUnsignedLong(page.get(INT32, at));
      default -> page.get(INT64, at);
    };
  }

  @Override
  public void write(long offset, int width, long value) {
    requireInside(offset, width);
    if (value == 0 && written(offset).isEmpty()) {
      return;
    }
    MemorySegment page = page(offset);
    long at = offset % PAGE;
    switch (width) {
      case 1 -> page.set(ValueLayout.JAVA_BYTE, at, (byte) value);
      case 2 -> page.set(INT16, at, (short) value);
      case 4 -> page.set(INT32, at, (int) value);
      default -> page.set(INT64, at, value);
    }
  }

  /** The page at an offset; empty if only zeros were written there. */
  private Optional<MemorySegment> written(long offset) {
    return shown
        .map(mappable -> part(mappable, offset / PAGE))
        .or(() -> Optional.ofNullable(pages.get(offset / PAGE)));
  }

  private MemorySegment page(long offset) {
    return written(offset)
        .orElseGet(
            () -> pages.computeIfAbsent(offset / PAGE, _ -> MemorySegment.ofArray(new byte[PAGE])));
  }

  private void requireInside(long offset, long count) {
    if (offset < 0 || offset > bytes - count) {
      throw new Unreachable("beyond 0x%x bytes".formatted(bytes));
    }
  }
}
