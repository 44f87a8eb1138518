package dev.iolite.mock.vfio;

import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.Memory;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** Parts of a BAR, one after the other; a device's access may extend from one to the next. */
final class RunsMemory implements Memory {
  private record Run(long bytes, Memory memory) {}

  private final TreeMap<Long, Run> byStart = new TreeMap<>();

  RunsMemory(List<BarRange> runs, Function<BarRange, Memory> memory) {
    long start = 0;
    for (BarRange run : runs) {
      byStart.put(start, new Run(run.bytes(), memory.apply(run)));
      start += run.bytes();
    }
  }

  /** One run's part of an access. */
  @FunctionalInterface
  private interface Part {
    void of(Memory memory, long offset, MemorySegment bytes);
  }

  private void split(long offset, MemorySegment bytes, Part part) {
    long done = 0;
    while (done < bytes.byteSize()) {
      Map.Entry<Long, Run> run = byStart.floorEntry(offset + done);
      long at = offset + done - run.getKey();
      long count = Math.min(bytes.byteSize() - done, run.getValue().bytes() - at);
      part.of(run.getValue().memory(), at, bytes.asSlice(done, count));
      done += count;
    }
  }

  @Override
  public void read(long offset, MemorySegment into) {
    split(offset, into, Memory::read);
  }

  @Override
  public void write(long offset, MemorySegment from) {
    split(offset, from, Memory::write);
  }
}
