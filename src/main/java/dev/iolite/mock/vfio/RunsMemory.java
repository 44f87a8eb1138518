package dev.iolite.mock.vfio;

import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.Memory;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** Parts of a BAR, one after the other; an access lies within one, as it lies within a page. */
final class RunsMemory implements Memory {
  private final TreeMap<Long, Memory> byStart = new TreeMap<>();

  RunsMemory(Iterable<BarRange> runs, Function<BarRange, Memory> memory) {
    long start = 0;
    for (BarRange run : runs) {
      byStart.put(start, memory.apply(run));
      start += run.bytes();
    }
  }

  @Override
  public void read(long offset, MemorySegment into) {
    Map.Entry<Long, Memory> run = byStart.floorEntry(offset);
    run.getValue().read(offset - run.getKey(), into);
  }

  @Override
  public void write(long offset, MemorySegment from) {
    Map.Entry<Long, Memory> run = byStart.floorEntry(offset);
    run.getValue().write(offset - run.getKey(), from);
  }
}
