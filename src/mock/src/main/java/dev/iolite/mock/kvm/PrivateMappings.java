package dev.iolite.mock.kvm;

import dev.iolite.kernel.Page;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.core.Reach;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a TSM has mapped into a VM's private address space (its S-EPT or NPT) in addition to the
 * guest_memfd of its slots: the private registers of a device.
 */
public final class PrivateMappings {
  /**
   * A mapping.
   *
   * @param gpa the first guest-physical address
   * @param bytes its length, in whole pages
   * @param memory what is mapped
   * @param offset where the mapping starts in that memory, in bytes
   * @param what a name for it
   * @param reach whether the guest reaches it now
   */
  public record Mapping(
      long gpa, long bytes, Memory memory, long offset, String what, Supplier<Reach> reach) {}

  private final TreeMap<Long, Mapping> byAddress = new TreeMap<>(Long::compareUnsigned);

  PrivateMappings() {}

  /**
   * Adds a mapping; from now on private accesses to the range go there, whatever the slot has.
   *
   * @return false if part of the range is mapped already
   * @throws IllegalArgumentException if the range is not a whole number of pages
   */
  public boolean map(Mapping mapping) {
    if (((mapping.gpa | mapping.bytes) & (Page.BYTES - 1)) != 0 || mapping.bytes <= 0) {
      throw new IllegalArgumentException("not whole pages: " + mapping);
    }
    if (overlaps(mapping.gpa, mapping.bytes)) {
      return false;
    }
    byAddress.put(mapping.gpa, mapping);
    return true;
  }

  /** Whether part of a range is mapped. */
  boolean overlaps(long gpa, long bytes) {
    Map.Entry<Long, Mapping> below = byAddress.lowerEntry(gpa + bytes);
    return below != null && Long.compareUnsigned(below.getKey() + below.getValue().bytes, gpa) > 0;
  }

  /**
   * Unmaps what was mapped at an address.
   *
   * @return false if nothing begins there
   */
  public boolean unmap(long gpa) {
    return byAddress.remove(gpa) != null;
  }

  /** All mappings, by address; live. */
  public Collection<Mapping> all() {
    return byAddress.values();
  }

  @Nullable Mapping at(long gpa) {
    if (byAddress.isEmpty()) {
      return null;
    }
    Map.Entry<Long, Mapping> below = byAddress.floorEntry(gpa);
    return below != null && Long.compareUnsigned(gpa - below.getKey(), below.getValue().bytes) < 0
        ? below.getValue()
        : null;
  }
}
