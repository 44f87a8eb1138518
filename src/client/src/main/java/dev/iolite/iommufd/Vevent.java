package dev.iolite.iommufd;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * An event of a vIOMMU, or the word that events were lost at the end of the queue.
 *
 * @param sequence its number; each that is skipped was lost. After the largest int comes 0
 * @param data the struct of its {@link VeventType}, read-only; empty if events were lost instead
 */
public record Vevent(int sequence, Optional<MemorySegment> data) {
  /** Whether it says that events were lost, up to its own number. */
  public boolean lost() {
    return data.isEmpty();
  }
}
