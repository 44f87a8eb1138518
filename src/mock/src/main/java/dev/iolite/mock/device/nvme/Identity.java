package dev.iolite.mock.device.nvme;

import static dev.iolite.mock.device.nvme.Failed.failIf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** What Identify tells of a controller and its namespace. */
final class Identity {
  static final int VERSION_1_4 = 0x0001_0400;

  /** MDTS: the most data of a command, as a power of two of pages of 4 KiB. */
  private static final int LARGEST_TRANSFER = 7;

  static final int MOST_BYTES = 4096 << LARGEST_TRANSFER;

  private static final int BYTES = 4096;
  private static final int NAMESPACES = 256;
  private static final int COMPARE = 1;
  private static final int DATASET_MANAGEMENT = 1 << 2;
  private static final int WRITE_ZEROES = 1 << 3;
  private static final int SELECT_IN_FEATURES = 1 << 4;
  private static final int LAST_NAMESPACE = -3;

  private final String serial;
  private final Disk disk;

  Identity(String serial, Disk disk) {
    this.serial = serial;
    this.disk = disk;
  }

  /** hw/nvme/ctrl.c:nvme_identify; the kinds of structure are CNS values. */
  MemorySegment of(Command command) {
    MemorySegment into = MemorySegment.ofArray(new byte[BYTES]);
    switch (command.low(10) & 0xff) {
      case 0x00, 0x11 -> {
        if (named(command)) {
          describeDisk(into);
        }
      }
      case 0x01 -> describeController(into);
      case 0x02, 0x10 -> list(command, into);
      case 0x03 -> {
        failIf(!named(command), Failed.INVALID_FIELD);
        // Its command set (type 4, one byte) is NVM.
        into.set(ValueLayout.JAVA_BYTE, 0, (byte) 4);
        into.set(ValueLayout.JAVA_BYTE, 1, (byte) 1);
      }
      case 0x05 -> failIf(named(command) && commandSet(command) != 0, Failed.INVALID_FIELD);
      case 0x06 -> failIf(commandSet(command) != 0, Failed.INVALID_FIELD);
      case 0x07, 0x1a -> {
        failIf(commandSet(command) != 0, Failed.INVALID_FIELD);
        list(command, into);
      }
      case 0x1c -> into.set(ValueLayout.JAVA_BYTE, 0, (byte) 1);
      default -> throw Failed.with(Failed.INVALID_FIELD);
    }
    return into;
  }

  private static int commandSet(Command command) {
    return command.word(11) >>> 24;
  }

  /** Whether the namespace that is named exists. */
  private static boolean named(Command command) {
    int namespace = command.namespace();
    failIf(!Disk.isValid(namespace) || namespace == Disk.ALL, Failed.INVALID_NAMESPACE);
    return namespace == Disk.NAMESPACE;
  }

  private static void list(Command command, MemorySegment into) {
    failIf(
        Integer.compareUnsigned(command.namespace(), LAST_NAMESPACE) > 0, Failed.INVALID_NAMESPACE);
    if (command.namespace() == 0) {
      into.set(Layouts.INT32, 0, Disk.NAMESPACE);
    }
  }

  private void describeController(MemorySegment into) {
    into.set(Layouts.INT16, 0, (short) 0x1b36);
    into.set(Layouts.INT16, 2, (short) 0x1af4);
    text(into, 4, 20, serial);
    text(into, 24, 40, "QEMU NVMe Ctrl");
    text(into, 64, 8, "7.2");
    into.set(ValueLayout.JAVA_BYTE, 72, (byte) 6);
    into.set(Layouts.INT16, 74, (short) 0x5254);
    into.set(ValueLayout.JAVA_BYTE, 77, (byte) LARGEST_TRANSFER);
    into.set(Layouts.INT32, 80, VERSION_1_4);
    into.set(ValueLayout.JAVA_BYTE, 111, (byte) 1);
    // Abort and Asynchronous Event Request: four at once. One firmware, read-only. Log pages in
    // parts.
    into.set(ValueLayout.JAVA_BYTE, 258, (byte) 3);
    into.set(ValueLayout.JAVA_BYTE, 259, (byte) (Admin.EVENT_REQUESTS - 1));
    into.set(ValueLayout.JAVA_BYTE, 260, (byte) 3);
    into.set(ValueLayout.JAVA_BYTE, 261, (byte) 4);
    into.set(Layouts.INT16, 266, (short) Features.WARM);
    into.set(Layouts.INT16, 268, (short) Features.HOT);
    // Entries of 64 and of 16 bytes.
    into.set(ValueLayout.JAVA_BYTE, 512, (byte) 0x66);
    into.set(ValueLayout.JAVA_BYTE, 513, (byte) 0x44);
    into.set(Layouts.INT32, 516, NAMESPACES);
    into.set(
        Layouts.INT16,
        520,
        (short) (COMPARE | DATASET_MANAGEMENT | WRITE_ZEROES | SELECT_IN_FEATURES));
    // A cache that is volatile, and can be flushed for all namespaces at once.
    into.set(ValueLayout.JAVA_BYTE, 525, (byte) 7);
    into.asSlice(768).setString(0, "nqn.2019-08.org.qemu:" + serial, StandardCharsets.US_ASCII);
    into.set(Layouts.INT16, 2048, (short) 0x9c4);
    into.set(Layouts.INT32, 2052, 0x10);
    into.set(Layouts.INT32, 2056, 4);
  }

  /** One format: blocks of 2^9 bytes without metadata. What was deallocated reads as zeros. */
  private void describeDisk(MemorySegment into) {
    into.set(Layouts.INT64, 0, disk.blocks());
    into.set(Layouts.INT64, 8, disk.blocks());
    into.set(Layouts.INT64, 16, disk.blocks());
    into.set(ValueLayout.JAVA_BYTE, 33, (byte) 1);
    into.set(ValueLayout.JAVA_BYTE, 130, (byte) 9);
  }

  static void text(MemorySegment into, int offset, int length, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    into.asSlice(offset, length).fill((byte) ' ');
    MemorySegment.copy(
        MemorySegment.ofArray(bytes), 0, into, offset, Math.min(length, bytes.length));
  }
}
