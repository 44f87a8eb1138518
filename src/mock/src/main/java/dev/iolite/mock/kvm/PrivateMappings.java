package dev.iolite.mock.kvm;

import dev.iolite.kernel.Page;
import dev.iolite.mock.core.Memory;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a TSM has mapped into a VM's private address space (its S-EPT or NPT) in addition to the
 * guest_memfd of its slots: the private registers of a device.
 */
public final class PrivateMappings {
  /**
   * One of them.
   *
   * @param gpa the first guest-physical address
   * @param bytes how long it is, in whole pages
   * @param memory what is mapped
   * @param offset where in it the mapping starts, in bytes
   * @param what a name for it
   */
  public record Mapping(long gpa, long bytes, Memory memory, long offset, String what) {}

  private final TreeMap<Long, Mapping> byAddress = new TreeMap<>(Long::compareUnsigned);

  PrivateMappings() {}

  /**
   * Maps; a private access to the range goes there from now on, whatever the slot has.
   *
   * @return false if part of the range is mapped already
   * @throws IllegalArgumentException if the range is no whole number of pages
   */
  public boolean map(Mapping mapping) {
    if (((mapping.gpa | mapping.bytes) & (Page.BYTES - 1)) != 0 || mapping.bytes <= 0) {
      throw new IllegalArgumentException("not whole pages: " + mapping);
    }
    Map.Entry<Long, Mapping> below = byAddress.lowerEntry(mapping.gpa + mapping.bytes);
    if (below != null
        && Long.compareUnsigned(below.getKey() + below.getValue().bytes, mapping.gpa) > 0) {
      return false;
    }
    byAddress.put(mapping.gpa, mapping);
    return true;
  }

  /**
   * Takes away what was mapped at an address.
   *
   * @return false if nothing begins there
   */
  public boolean unmap(long gpa) {
    return byAddress.remove(gpa) != null;
  }

  /** All of them, by address; live. */
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
