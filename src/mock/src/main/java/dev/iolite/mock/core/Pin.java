package dev.iolite.mock.core;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Memory that a driver has pinned.
 *
 * @param memory what is pinned
 * @param offset where in it the pinned range starts, in bytes
 * @param bytes how much is pinned
 * @param unpin unpins it; to be called once, by {@link #release}
 */
public record Pin(Memory memory, long offset, long bytes, Runnable unpin) implements Memory {
  /** Several pins, one after the other, as one. */
  static Pin of(List<Pin> pieces) {
    if (pieces.size() == 1) {
      return pieces.getFirst();
    }
    long bytes = pieces.stream().mapToLong(Pin::bytes).sum();
    return new Pin(new Row(List.copyOf(pieces)), 0, bytes, () -> pieces.forEach(Pin::release));
  }

  /** Releases the memory, once. */
  public void release() {
    unpin.run();
  }

  /** Reads it; offset 0 is the start of what is pinned. */
  @Override
  public void read(long at, MemorySegment into) {
    memory.read(offset + at, into);
  }

  /** Writes it; offset 0 is the start of what is pinned. */
  @Override
  public void write(long at, MemorySegment from) {
    memory.write(offset + at, from);
  }

  /** Pieces in a row. */
  private record Row(List<Pin> pieces) implements Memory {
    @Override
    public void read(long at, MemorySegment into) {
      walk(at, into, Pin::read);
    }

    @Override
    public void write(long at, MemorySegment from) {
      walk(at, from, Pin::write);
    }

    private interface Step {
      void move(Pin piece, long at, MemorySegment part);
    }

    private void walk(long at, MemorySegment whole, Step step) {
      long start = 0;
      long done = 0;
      for (Pin piece : pieces) {
        long inPiece = at + done - start;
        if (inPiece < piece.bytes && done < whole.byteSize()) {
          long part = Math.min(piece.bytes - inPiece, whole.byteSize() - done);
          step.move(piece, inPiece, whole.asSlice(done, part));
          done += part;
        }
        start += piece.bytes;
      }
      if (done < whole.byteSize()) {
        throw new Unreachable("beyond what is pinned");
      }
    }
  }
}
