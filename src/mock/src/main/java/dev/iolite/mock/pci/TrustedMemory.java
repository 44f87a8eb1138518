package dev.iolite.mock.pci;

import dev.iolite.mock.core.Memory;
import dev.iolite.mock.core.Pieces;
import java.lang.foreign.MemorySegment;

/**
 * A part of a BAR as a confidential guest's private accesses reach it: a read that the device
 * refuses returns all ones, and a refused write is lost.
 *
 * @param function the function
 * @param bar the BAR
 * @param start where the part starts in the BAR, in bytes
 */
public record TrustedMemory(PciFunction function, int bar, long start) implements Memory {
  @Override
  public void read(long offset, MemorySegment into) {
    Pieces.read(start + offset, into, this::readOne);
  }

  private long readOne(long at, int bytes) {
    try {
      return function.trustedRead(bar, at, bytes);
    } catch (Unreachable e) {
      return -1;
    }
  }

  @Override
  public void write(long offset, MemorySegment from) {
    Pieces.write(start + offset, from, this::writeOne);
  }

  private void writeOne(long at, int bytes, long value) {
    try {
      function.trustedWrite(bar, at, bytes, value);
    } catch (Unreachable e) {
      return;
    }
  }
}
