package dev.iolite.mock.pci;

import dev.iolite.kernel.Registers;
import dev.iolite.mock.device.MsiX;
import dev.iolite.mock.device.SparseMemory;
import java.util.BitSet;
import java.util.function.IntConsumer;

/** The MSI-X table and the pending bits of a function. */
final class MsixTable {
  private static final int ADDRESS_HIGH = 4;
  private static final int DATA = 8;
  private static final int CONTROL = 12;
  private static final int MASKED = 1;

  /** The address at which the interrupt controllers of a PC receive messages. */
  private static final long MESSAGE_ADDRESS = 0xfee0_0000L;

  private final MsiX shape;
  private final SparseMemory entries;
  private final BitSet pending = new BitSet();
  private final IntConsumer unmasked;

  /**
   * Makes a table with all vectors masked.
   *
   * @param unmasked called with a vector that can perhaps be sent now
   */
  MsixTable(MsiX shape, IntConsumer unmasked) {
    this.shape = shape;
    this.unmasked = unmasked;
    entries = new SparseMemory(shape.tableBytes());
    reset();
  }

  void reset() {
    entries.clear();
    pending.clear();
    for (int vector = 0; vector < shape.vectors(); vector++) {
      entries.write(at(vector) + CONTROL, Integer.BYTES, MASKED);
    }
  }

  private static long at(int vector) {
    return (long) vector * MsiX.ENTRY_BYTES;
  }

  /** Writes a vector's message, as the kernel does. */
  void program(int vector) {
    entries.write(at(vector), Integer.BYTES, MESSAGE_ADDRESS);
    entries.write(at(vector) + ADDRESS_HIGH, Integer.BYTES, 0);
    entries.write(at(vector) + DATA, Integer.BYTES, vector);
  }

  void setMasked(int vector, boolean masked) {
    entries.write(at(vector) + CONTROL, Integer.BYTES, masked ? MASKED : 0);
    if (!masked) {
      unmasked.accept(vector);
    }
  }

  boolean isMasked(int vector) {
    return (entries.read(at(vector) + CONTROL, Integer.BYTES) & MASKED) != 0;
  }

  /** Whether a vector's message is what the kernel wrote: any other one leads nowhere. */
  boolean isProgrammed(int vector) {
    return entries.read(at(vector), Long.BYTES) == MESSAGE_ADDRESS
        && entries.read(at(vector) + DATA, Integer.BYTES) == vector;
  }

  void setPending(int vector, boolean value) {
    pending.set(vector, value);
  }

  boolean isPending(int vector) {
    return pending.get(vector);
  }

  int vectors() {
    return shape.vectors();
  }

  /** Whether an access to a BAR reaches the table or the pending bits. */
  boolean covers(int bar, long offset) {
    return isTable(bar, offset) || isPba(bar, offset);
  }

  private boolean isTable(int bar, long offset) {
    return bar == shape.tableBar()
        && offset >= shape.tableOffset()
        && offset < shape.tableOffset() + shape.tableBytes();
  }

  private boolean isPba(int bar, long offset) {
    return bar == shape.pbaBar()
        && offset >= shape.pbaOffset()
        && offset < shape.pbaOffset() + shape.pbaBytes();
  }

  /** Access to what {@link #covers}; offsets count from the BAR's start. */
  Registers access(int bar) {
    return new Registers() {
      @Override
      public long read(long offset, int bytes) {
        return isTable(bar, offset)
            ? entries.read(offset - shape.tableOffset(), bytes)
            : pendingBits(offset - shape.pbaOffset(), bytes);
      }

      @Override
      public void write(long offset, int bytes, long value) {
        // Narrow writes have no meaning here, and the pending bits belong to the device.
        if (bytes >= Integer.BYTES && isTable(bar, offset)) {
          long inTable = offset - shape.tableOffset();
          entries.write(inTable, bytes, value);
          unmasked.accept((int) (inTable / MsiX.ENTRY_BYTES));
        }
      }
    };
  }

  private long pendingBits(long offset, int bytes) {
    long value = 0;
    for (int bit = 0; bit < bytes * Byte.SIZE; bit++) {
      value |= pending.get((int) offset * Byte.SIZE + bit) ? 1L << bit : 0;
    }
    return value;
  }
}
