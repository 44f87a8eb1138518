package dev.iolite.mock.vfio;

import dev.iolite.kernel.Registers;
import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.core.Pieces;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.pci.Ones;
import java.lang.foreign.MemorySegment;

/**
 * A BAR as mapped by its user: its pages are present only while its memory may be accessed
 * (vfio_pci_mmap_huge_fault), no matter what was present before.
 */
final class BarMapping implements Registers, Memory {
  private final Task task;
  private final VfioPciCore core;
  private final int bar;
  private final long start;

  /**
   * Makes a mapping.
   *
   * @param start where it starts in the BAR, in bytes
   */
  BarMapping(Task task, VfioPciCore core, int bar, long start) {
    this.task = task;
    this.core = core;
    this.bar = bar;
    this.start = start;
  }

  @Override
  public long read(long offset, int bytes) {
    task.enter();
    try {
      requireMapped(offset, bytes);
      return readOne(offset, bytes);
    } finally {
      task.leave();
    }
  }

  @Override
  public void write(long offset, int bytes, long value) {
    task.enter();
    try {
      requireMapped(offset, bytes);
      writeOne(offset, bytes, value);
    } finally {
      task.leave();
    }
  }

  /** Throws what the JVM makes of the SIGBUS. */
  private void requireMapped(long offset, long bytes) {
    if (!isMappable(offset, bytes)) {
      throw new InternalError("a fault occurred in an unsafe memory access operation");
    }
  }

  private boolean isMappable(long offset, long bytes) {
    return core.isMappable(bar, new BarRange(start + offset, bytes));
  }

  private boolean isInside(long at, int bytes) {
    return at + bytes <= core.pci().resource(bar).bytes();
  }

  private long readOne(long offset, int bytes) {
    long at = start + offset;
    return isInside(at, bytes) ? core.read(bar, at, bytes) : Ones.of(bytes);
  }

  private void writeOne(long offset, int bytes, long value) {
    long at = start + offset;
    if (isInside(at, bytes)) {
      core.write(bar, at, bytes, value);
    }
  }

  @Override
  public void read(long offset, MemorySegment into) {
    requireReachable(offset, into.byteSize());
    Pieces.read(offset, into, this::readOne);
  }

  @Override
  public void write(long offset, MemorySegment from) {
    requireReachable(offset, from.byteSize());
    Pieces.write(offset, from, this::writeOne);
  }

  private void requireReachable(long offset, long bytes) {
    if (!isMappable(offset, bytes)) {
      throw new Unreachable("the pages of a mapped BAR are not there");
    }
  }
}
