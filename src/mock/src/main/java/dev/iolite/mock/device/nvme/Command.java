package dev.iolite.mock.device.nvme;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A command, as it stands in a submission queue. */
record Command(MemorySegment bytes) {
  static final int BYTES = 64;

  private static final int FLAGS = 1;
  private static final int ID = 2;
  private static final int NAMESPACE = 4;
  private static final int PRP1 = 24;
  private static final int PRP2 = 32;
  private static final int FUSED = 3;
  private static final int POINTERS = 3 << 6;

  int opcode() {
    return Byte.toUnsignedInt(bytes.get(ValueLayout.JAVA_BYTE, 0));
  }

  /** Whether it is a half of two commands. */
  boolean isFused() {
    return (bytes.get(ValueLayout.JAVA_BYTE, FLAGS) & FUSED) != 0;
  }

  /** Whether its data is described by SGLs instead of PRPs. */
  boolean hasScatterGatherLists() {
    return (bytes.get(ValueLayout.JAVA_BYTE, FLAGS) & POINTERS) != 0;
  }

  short id() {
    return bytes.get(Layouts.INT16, ID);
  }

  int namespace() {
    return bytes.get(Layouts.INT32, NAMESPACE);
  }

  long prp1() {
    return bytes.get(Layouts.INT64, PRP1);
  }

  long prp2() {
    return bytes.get(Layouts.INT64, PRP2);
  }

  /** One of its words of 32 bits; those from 10 on depend on the command. */
  int word(int number) {
    return bytes.get(Layouts.INT32, (long) number * Integer.BYTES);
  }

  /** The lower half of a word. */
  int low(int number) {
    return word(number) & 0xffff;
  }

  /** The upper half of a word. */
  int high(int number) {
    return word(number) >>> Short.SIZE;
  }

  /** Words 10 and 11: the first block of a read or a write. */
  long firstBlock() {
    return bytes.get(Layouts.INT64, 10L * Integer.BYTES);
  }
}
