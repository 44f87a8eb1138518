package dev.iolite.mock.type1;

import dev.iolite.mock.core.IommuDevice.Mapped;
import dev.iolite.mock.core.IommuDevice.Translation;
import dev.iolite.mock.core.Memory;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/** The mappings of a container in the order of their IOVAs, and DMA through them (dma_list). */
final class DmaMappings implements Translation {
  private final NavigableMap<Long, DmaMapping> byFirst = new TreeMap<>(Long::compareUnsigned);

  /** vfio_find_dma: a mapping that overlaps a range, both ends included. */
  Optional<DmaMapping> find(long first, long last) {
    return Optional.ofNullable(byFirst.floorEntry(last))
        .map(Map.Entry::getValue)
        .filter(mapping -> Long.compareUnsigned(mapping.last, first) >= 0);
  }

  /** vfio_find_dma_first_node and those that follow: what overlaps a range. */
  List<DmaMapping> in(long first, long last) {
    Long from = byFirst.floorKey(first);
    return byFirst.subMap(from == null ? first : from, true, last, true).values().stream()
        .filter(mapping -> Long.compareUnsigned(mapping.last, first) >= 0)
        .toList();
  }

  List<DmaMapping> all() {
    return List.copyOf(byFirst.values());
  }

  int count() {
    return byFirst.size();
  }

  void add(DmaMapping mapping) {
    byFirst.put(mapping.first, mapping);
  }

  /** vfio_remove_dma. */
  void remove(DmaMapping mapping) {
    byFirst.remove(mapping.first);
    mapping.memory().release();
  }

  @Override
  public void read(long iova, MemorySegment into) {
    for (long done = 0; done < into.byteSize(); ) {
      long at = iova + done;
      DmaMapping mapping = reach(at, false);
      long bytes = Math.min(into.byteSize() - done, left(mapping, at));
      mapping.memory().read(at - mapping.first, into.asSlice(done, bytes));
      done += bytes;
    }
  }

  @Override
  public void write(long iova, MemorySegment from) {
    for (long done = 0; done < from.byteSize(); ) {
      long at = iova + done;
      DmaMapping mapping = reach(at, true);
      long bytes = Math.min(from.byteSize() - done, left(mapping, at));
      mapping.memory().write(at - mapping.first, from.asSlice(done, bytes));
      done += bytes;
    }
  }

  private static long left(DmaMapping mapping, long at) {
    long more = mapping.last - at;
    return more < 0 ? Long.MAX_VALUE : more + 1;
  }

  private DmaMapping reach(long iova, boolean write) {
    DmaMapping mapping =
        find(iova, iova)
            .orElseThrow(() ->
                new Memory.Unreachable("nothing is mapped at IOVA 0x" + Long.toHexString(iova)));
    if (write ? !mapping.writable : !mapping.readable) {
      throw new Memory.Unreachable(
          "IOVA 0x%x is not mapped for %s".formatted(iova, write ? "writing" : "reading"));
    }
    return mapping;
  }

  @Override
  public List<Mapped> mappings() {
    return byFirst.values().stream().map(DmaMapping::listed).toList();
  }
}
