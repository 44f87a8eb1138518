package dev.iolite.mock.device.nvme;

import static dev.iolite.mock.device.nvme.Failed.failIf;

import dev.iolite.mock.device.SparseMemory;
import java.lang.foreign.MemorySegment;

/** The namespace of a controller: a disk in memory, with blocks of 512 bytes, and its commands. */
final class Disk {
  static final int NAMESPACE = 1;

  /** NSID of all namespaces. */
  static final int ALL = -1;

  private static final int FLUSH = 0x00;
  private static final int WRITE = 0x01;
  private static final int READ = 0x02;
  private static final int COMPARE = 0x05;
  private static final int WRITE_ZEROES = 0x08;
  private static final int MANAGE = 0x09;
  private static final int DEALLOCATE = 4;
  private static final int RANGE_BYTES = 16;
  private static final int BLOCK_SHIFT = 9;
  private static final int MOST_NAMESPACES = 256;

  private final long blocks;
  private final SparseMemory memory;

  Disk(long bytes) {
    blocks = bytes >> BLOCK_SHIFT;
    memory = new SparseMemory(bytes);
  }

  long blocks() {
    return blocks;
  }

  static boolean isValid(int namespace) {
    return namespace != 0
        && (namespace == ALL || Integer.compareUnsigned(namespace, MOST_NAMESPACES) <= 0);
  }

  /** hw/nvme/ctrl.c:nvme_io_cmd. */
  void run(Command command, CommandData data) {
    failIf(!isValid(command.namespace()), Failed.INVALID_NAMESPACE);
    if (command.opcode() == FLUSH) {
      failIf(command.namespace() != ALL && command.namespace() != NAMESPACE, Failed.INVALID_FIELD);
      return;
    }
    failIf(command.namespace() != NAMESPACE, Failed.INVALID_FIELD);
    switch (command.opcode()) {
      case READ -> read(command, data);
      case WRITE -> write(command, data);
      case COMPARE -> compare(command, data);
      case WRITE_ZEROES ->
          memory.clear(
              checked(command.firstBlock(), count(command)), count(command) << BLOCK_SHIFT);
      case MANAGE -> manage(command, data);
      default -> throw Failed.with(Failed.INVALID_OPCODE);
    }
  }

  private static long count(Command command) {
    return command.low(12) + 1L;
  }

  /** Where a block is, in bytes, if all of a range is on the disk. */
  private long checked(long first, long count) {
    failIf(
        Long.compareUnsigned(first, blocks) > 0 || first + count > blocks, Failed.LBA_OUT_OF_RANGE);
    return first << BLOCK_SHIFT;
  }

  private static int moved(Command command) {
    failIf(command.isFused() || command.hasScatterGatherLists(), Failed.INVALID_FIELD);
    int bytes = (int) (count(command) << BLOCK_SHIFT);
    failIf(bytes > Identity.MOST_BYTES, Failed.INVALID_FIELD);
    return bytes;
  }

  private void read(Command command, CommandData data) {
    MemorySegment content = MemorySegment.ofArray(new byte[moved(command)]);
    memory.read(checked(command.firstBlock(), count(command)), content);
    data.give(command, content);
  }

  private void write(Command command, CommandData data) {
    int bytes = moved(command);
    long at = checked(command.firstBlock(), count(command));
    memory.write(at, data.fetch(command, bytes));
  }

  private void compare(Command command, CommandData data) {
    MemorySegment content = MemorySegment.ofArray(new byte[moved(command)]);
    memory.read(checked(command.firstBlock(), count(command)), content);
    MemorySegment wanted = data.fetch(command, (int) content.byteSize());
    if (content.mismatch(wanted) >= 0) {
      throw Failed.once(Failed.COMPARE_FAILURE);
    }
  }

  /** Dataset Management: blocks that are given back read as zeros. */
  private void manage(Command command, CommandData data) {
    if ((command.word(11) & DEALLOCATE) == 0) {
      return;
    }
    int ranges = (command.word(10) & 0xff) + 1;
    MemorySegment list = data.fetch(command, ranges * RANGE_BYTES);
    for (long range = 0; range < ranges; range++) {
      long count = Integer.toUnsignedLong(list.get(Layouts.INT32, range * RANGE_BYTES + 4));
      long at = checked(list.get(Layouts.INT64, range * RANGE_BYTES + 8), count);
      memory.clear(at, count << BLOCK_SHIFT);
    }
  }
}
