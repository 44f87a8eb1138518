package dev.iolite.mock.device;

import dev.iolite.kernel.Registers;
import dev.iolite.mock.core.Memory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Set;

/**
 * An NVMe controller that looks like QEMU's, with just enough behind its registers for a driver to
 * identify it: the admin queues and Identify Controller. Any other command ends with Invalid
 * Command Opcode. There are no namespaces and no queues for I/O.
 */
public final class Nvme implements DeviceLogic {
  private static final ValueLayout.OfShort INT16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong INT64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int VECTORS = 65;
  private static final int BAR_BYTES = 16 << 10;
  private static final int TABLE = 0x2000;
  private static final int PBA = 0x3000;
  private static final int REGISTERS = 0x40;
  private static final int DOORBELLS = 0x1000;

  /** The same as QEMU's: 2048 entries, contiguous queues, 7.5 s, 4 KiB pages. */
  private static final long CAPABILITIES = 0x0040_1820_0f01_07ffL;

  private static final int VERSION_1_4 = 0x0001_0400;
  private static final int REG_CAP = 0x00;
  private static final int REG_VERSION = 0x08;
  private static final int REG_MASK_SET = 0x0c;
  private static final int REG_MASK_CLEAR = 0x10;
  private static final int REG_CONFIGURATION = 0x14;
  private static final int REG_STATUS = 0x1c;
  private static final int REG_QUEUE_SIZES = 0x24;
  private static final int REG_SUBMISSION = 0x28;
  private static final int REG_COMPLETION = 0x30;
  private static final int ENABLE = 1;
  private static final int READY = 1;
  private static final int FATAL = 2;

  private static final int SUBMISSION_BYTES = 64;
  private static final int COMPLETION_BYTES = 16;
  private static final int IDENTIFY = 0x06;
  private static final int IDENTIFY_CONTROLLER = 1;
  private static final int IDENTIFY_BYTES = 4096;
  private static final int INVALID_OPCODE = 1;
  private static final int INVALID_FIELD = 2;

  private final DeviceHost host;
  private final String serial;
  private final MemorySegment registers = MemorySegment.ofArray(new byte[REGISTERS]);
  private int interruptMask;
  private int head;
  private int tail;
  private int completed;
  private boolean phase;

  private Nvme(DeviceHost host, String serial) {
    this.host = host;
    this.serial = serial;
    reset();
  }

  /** A controller with this serial number. */
  public static DeviceModel model(String serial) {
    return model(serial, Set.of());
  }

  /** A controller that can have VFs. */
  public static DeviceModel withVirtualFunctions(String serial) {
    return model(serial, Set.of(ExtendedCapability.SRIOV));
  }

  private static DeviceModel model(String serial, Set<ExtendedCapability> extended) {
    return new DeviceModel(
        DeviceShape.builder(0x1b36, 0x0010)
            .classCode(0x01_0802)
            .revision(2)
            .bar(Bar.memory64(0, BAR_BYTES))
            .msiX(new MsiX(VECTORS, 0, TABLE, 0, PBA))
            .power(DeviceShape.Power.KEEPS_STATE)
            .express(new Express(true, false, false, extended))
            .build(),
        host -> new Nvme(host, serial));
  }

  @Override
  public Optional<Registers> registers(int bar) {
    return Optional.of(
        new Registers() {
          @Override
          public long read(long offset, int bytes) {
            return readRegister(offset, bytes);
          }

          @Override
          public void write(long offset, int bytes, long value) {
            writeRegister(offset, bytes, value);
          }
        });
  }

  @Override
  public void reset() {
    registers.fill((byte) 0);
    registers.set(INT64, REG_CAP, CAPABILITIES);
    registers.set(INT32, REG_VERSION, VERSION_1_4);
    interruptMask = 0;
    disable();
  }

  private void disable() {
    head = 0;
    tail = 0;
    completed = 0;
    phase = true;
    registers.set(INT32, REG_STATUS, 0);
    host.setLine(false);
  }

  private long readRegister(long offset, int bytes) {
    if (offset + bytes > REGISTERS) {
      return 0;
    }
    return switch (bytes) {
      case 1 -> Byte.toUnsignedLong(registers.get(ValueLayout.JAVA_BYTE, offset));
      case 2 -> Short.toUnsignedLong(registers.get(INT16, offset));
      case 4 -> Integer.toUnsignedLong(registers.get(INT32, offset));
      default -> registers.get(INT64, offset);
    };
  }

  private void writeRegister(long offset, int bytes, long value) {
    if (bytes < Integer.BYTES) {
      return;
    }
    if (offset == DOORBELLS) {
      tail = (int) value & 0xffff;
      runCommands();
    } else if (offset == DOORBELLS + Integer.BYTES) {
      host.setLine(false);
    } else if (offset + bytes <= REGISTERS) {
      for (int done = 0; done < bytes; done += Integer.BYTES) {
        writeWord((int) offset + done, (int) (value >>> (done * Byte.SIZE)));
      }
    }
  }

  private void writeWord(int offset, int value) {
    switch (offset) {
      case REG_MASK_SET -> setMask(interruptMask | value);
      case REG_MASK_CLEAR -> setMask(interruptMask & ~value);
      case REG_CONFIGURATION -> configure(value);
      case REG_QUEUE_SIZES,
          REG_SUBMISSION,
          REG_SUBMISSION + 4,
          REG_COMPLETION,
          REG_COMPLETION + 4 ->
          registers.set(INT32, offset, value);
      default -> {}
    }
  }

  private void setMask(int mask) {
    interruptMask = mask;
    registers.set(INT32, REG_MASK_SET, mask);
    registers.set(INT32, REG_MASK_CLEAR, mask);
  }

  private void configure(int value) {
    boolean was = (registers.get(INT32, REG_CONFIGURATION) & ENABLE) != 0;
    registers.set(INT32, REG_CONFIGURATION, value);
    boolean now = (value & ENABLE) != 0;
    if (now && !was) {
      registers.set(INT32, REG_STATUS, READY);
    } else if (!now) {
      disable();
    }
  }

  private int submissionEntries() {
    return (registers.get(INT32, REG_QUEUE_SIZES) & 0xfff) + 1;
  }

  private int completionEntries() {
    return ((registers.get(INT32, REG_QUEUE_SIZES) >> 16) & 0xfff) + 1;
  }

  private void runCommands() {
    if (registers.get(INT32, REG_STATUS) != READY || tail >= submissionEntries()) {
      return;
    }
    try {
      while (head != tail) {
        MemorySegment command = MemorySegment.ofArray(new byte[SUBMISSION_BYTES]);
        host.read(registers.get(INT64, REG_SUBMISSION) + (long) head * SUBMISSION_BYTES, command);
        head = (head + 1) % submissionEntries();
        complete(command.get(INT16, 2), run(command));
      }
    } catch (Memory.Unreachable e) {
      registers.set(INT32, REG_STATUS, FATAL);
    }
  }

  private int run(MemorySegment command) {
    if (command.get(ValueLayout.JAVA_BYTE, 0) != IDENTIFY) {
      return INVALID_OPCODE;
    }
    if ((command.get(INT32, 40) & 0xff) != IDENTIFY_CONTROLLER) {
      return INVALID_FIELD;
    }
    host.write(command.get(INT64, 24), identity());
    return 0;
  }

  private MemorySegment identity() {
    MemorySegment identity = MemorySegment.ofArray(new byte[IDENTIFY_BYTES]);
    identity.set(INT16, 0, (short) 0x1b36);
    identity.set(INT16, 2, (short) 0x1af4);
    text(identity, 4, 20, serial);
    text(identity, 24, 40, "QEMU NVMe Ctrl");
    text(identity, 64, 8, "7.2");
    identity.set(INT32, 80, VERSION_1_4);
    return identity;
  }

  private static void text(MemorySegment into, int offset, int length, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    into.asSlice(offset, length).fill((byte) ' ');
    MemorySegment.copy(
        MemorySegment.ofArray(bytes), 0, into, offset, Math.min(length, bytes.length));
  }

  private void complete(short id, int status) {
    MemorySegment entry = MemorySegment.ofArray(new byte[COMPLETION_BYTES]);
    entry.set(INT16, 8, (short) head);
    entry.set(INT16, 12, id);
    entry.set(INT16, 14, (short) ((status << 1) | (phase ? 1 : 0)));
    host.write(registers.get(INT64, REG_COMPLETION) + (long) completed * COMPLETION_BYTES, entry);
    completed++;
    if (completed == completionEntries()) {
      completed = 0;
      phase = !phase;
    }
    if (host.messagesEnabled()) {
      host.send(0);
    } else if ((interruptMask & 1) == 0) {
      host.setLine(true);
    }
  }
}
