package dev.iolite.mock.device.nvme;

import dev.iolite.kernel.Page;
import dev.iolite.kernel.Registers;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.device.Bar;
import dev.iolite.mock.device.DeviceHost;
import dev.iolite.mock.device.DeviceLogic;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.device.Express;
import dev.iolite.mock.device.ExtendedCapability;
import dev.iolite.mock.device.MsiX;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The registers of an NVMe controller, with which a driver makes queues and rings their doorbells.
 * Behind them are the admin commands and one namespace, a disk of 64 MiB in memory that is
 * initially zero.
 *
 * <p>It has no power states, no namespace management, no formats but one, no SGLs, and no events.
 */
public final class Nvme implements DeviceLogic {
  private static final int VECTORS = 65;
  private static final int QUEUE_PAIRS = 64;

  /** What the lab's controller with VFs leaves to them. */
  private static final int VECTORS_OF_VFS = 2;

  private static final int QUEUE_PAIRS_OF_VFS = 4;
  private static final int BAR_BYTES = 16 << 10;
  private static final int TABLE = 0x2000;
  private static final int PBA = 0x3000;
  private static final int REGISTERS = 0x40;
  private static final int DOORBELLS = 0x1000;
  private static final long DISK_BYTES = 64 << 20;

  /** The same as QEMU's: 2048 entries, contiguous queues, 7.5 s, pages of 4 to 64 KiB. */
  private static final long CAPABILITIES = 0x0040_1820_0f01_0000L | Queues.MOST_ENTRIES;

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
  private static final int SHUTDOWN = 3 << 14;
  private static final int READY = 1;
  private static final int FATAL = 2;
  private static final int SHUTDOWN_STATUS = 3 << 2;
  private static final int SHUTDOWN_COMPLETE = 2 << 2;
  private static final int ENTRIES_MASK = 0xfff;

  /** CC.IOSQES and CC.IOCQES: entries of 2^6 and 2^4 bytes. */
  private static final int ENTRY_SIZES = 0x46;

  private static final int LARGEST_PAGE = 4;

  private final DeviceHost host;
  private final Disk disk = new Disk(DISK_BYTES);
  private final Queues queues;
  private final Admin admin;
  private final MemorySegment registers = MemorySegment.ofArray(new byte[REGISTERS]);
  private long pageBytes;

  /** The vectors for which the line is asserted, unless they are masked. */
  private int lines;

  private Nvme(DeviceHost host, String serial, int pairs, int vectors) {
    this.host = host;
    queues = new Queues(pairs, vectors);
    admin = new Admin(queues, new Identity(serial, disk), new Features(pairs));
    reset();
  }

  /** A controller with this serial number. */
  public static DeviceModel model(String serial) {
    return model(serial, QUEUE_PAIRS, VECTORS, Set.of());
  }

  /** A controller that can have VFs. */
  public static DeviceModel withVirtualFunctions(String serial) {
    return model(
        serial,
        QUEUE_PAIRS - QUEUE_PAIRS_OF_VFS,
        VECTORS - VECTORS_OF_VFS,
        Set.of(ExtendedCapability.SRIOV));
  }

  private static DeviceModel model(
      String serial, int pairs, int vectors, Set<ExtendedCapability> extended) {
    return new DeviceModel(
        DeviceShape.builder(0x1b36, 0x0010)
            .classCode(0x01_0802)
            .revision(2)
            .bar(Bar.memory64(0, BAR_BYTES))
            .msiX(new MsiX(VECTORS, 0, TABLE, 0, PBA))
            .power(DeviceShape.Power.KEEPS_STATE)
            .express(new Express(true, false, false, extended))
            .build(),
        host -> new Nvme(host, serial, pairs, vectors));
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
    registers.set(Layouts.INT64, REG_CAP, CAPABILITIES);
    registers.set(Layouts.INT32, REG_VERSION, Identity.VERSION_1_4);
    disable();
  }

  private long readRegister(long offset, int bytes) {
    if (offset + bytes > REGISTERS) {
      return 0;
    }
    return switch (bytes) {
      case 1 -> Byte.toUnsignedLong(registers.get(ValueLayout.JAVA_BYTE, offset));
      case 2 -> Short.toUnsignedLong(registers.get(Layouts.INT16, offset));
      case 4 -> Integer.toUnsignedLong(registers.get(Layouts.INT32, offset));
      default -> registers.get(Layouts.INT64, offset);
    };
  }

  private void writeRegister(long offset, int bytes, long value) {
    if (bytes < Integer.BYTES) {
      return;
    }
    if (offset >= DOORBELLS && offset < TABLE) {
      ring((int) (offset - DOORBELLS) / Integer.BYTES, (int) value & 0xffff);
    } else if (offset + bytes <= REGISTERS) {
      for (int done = 0; done < bytes; done += Integer.BYTES) {
        writeWord((int) offset + done, (int) (value >>> (done * Byte.SIZE)));
      }
    }
  }

  private void writeWord(int offset, int value) {
    switch (offset) {
      case REG_MASK_SET -> setMask(registers.get(Layouts.INT32, REG_MASK_SET) | value);
      case REG_MASK_CLEAR -> setMask(registers.get(Layouts.INT32, REG_MASK_SET) & ~value);
      case REG_CONFIGURATION -> configure(value);
      case REG_QUEUE_SIZES,
          REG_SUBMISSION,
          REG_SUBMISSION + 4,
          REG_COMPLETION,
          REG_COMPLETION + 4 ->
          registers.set(Layouts.INT32, offset, value);
      default -> {}
    }
  }

  private void setMask(int mask) {
    registers.set(Layouts.INT32, REG_MASK_SET, mask);
    registers.set(Layouts.INT32, REG_MASK_CLEAR, mask);
    updateLine();
  }

  private void updateLine() {
    if (!host.messagesEnabled()) {
      host.setLine((lines & ~registers.get(Layouts.INT32, REG_MASK_SET)) != 0);
    }
  }

  /** hw/nvme/ctrl.c:nvme_write_bar. */
  private void configure(int value) {
    int before = registers.get(Layouts.INT32, REG_CONFIGURATION);
    int status = registers.get(Layouts.INT32, REG_STATUS);
    registers.set(Layouts.INT32, REG_CONFIGURATION, value);
    if ((value & SHUTDOWN) != 0) {
      status = (status & ~SHUTDOWN_STATUS) | SHUTDOWN_COMPLETE;
    } else if ((before & SHUTDOWN) != 0) {
      status &= ~SHUTDOWN_STATUS;
    }
    if ((value & ENABLE) != 0 && (before & ENABLE) == 0) {
      status = enable(value) ? READY : FATAL;
    } else if ((value & ENABLE) == 0 && (before & ENABLE) != 0) {
      disable();
      return;
    }
    registers.set(Layouts.INT32, REG_STATUS, status);
  }

  /** hw/nvme/ctrl.c:nvme_start_ctrl. */
  private boolean enable(int configuration) {
    int page = (configuration >> 7) & 0xf;
    int commandSets = (configuration >> 4) & 7;
    int sizes = registers.get(Layouts.INT32, REG_QUEUE_SIZES);
    int submissions = sizes & ENTRIES_MASK;
    int completions = (sizes >> 16) & ENTRIES_MASK;
    long submission = registers.get(Layouts.INT64, REG_SUBMISSION);
    long completion = registers.get(Layouts.INT64, REG_COMPLETION);
    long bytes = Page.BYTES << page;
    if (page > LARGEST_PAGE
        || (submission | completion) % bytes != 0
        || ((CAPABILITIES >> 37 >> commandSets) & 1) == 0
        || ((configuration >> 16) & 0xff) != ENTRY_SIZES
        || submissions == 0
        || completions == 0) {
      return false;
    }
    pageBytes = bytes;
    queues.start(submission, submissions + 1, completion, completions + 1);
    return true;
  }

  /** hw/nvme/ctrl.c:nvme_ctrl_reset. */
  private void disable() {
    queues.clear();
    admin.forget();
    lines = 0;
    registers.set(Layouts.INT32, REG_STATUS, 0);
    registers.set(Layouts.INT32, REG_CONFIGURATION, 0);
    registers.set(Layouts.INT32, REG_MASK_SET, 0);
    registers.set(Layouts.INT32, REG_MASK_CLEAR, 0);
    host.setLine(false);
  }

  /** A doorbell: even numbers are those of submission queues (hw/nvme/ctrl.c:nvme_process_db). */
  private void ring(int doorbell, int value) {
    int id = doorbell / 2;
    if (doorbell % 2 == 0) {
      queues.submission(id).filter(queue -> queue.put(value)).ifPresent(this::start);
    } else {
      queues.completion(id).filter(queue -> queue.take(value)).ifPresent(this::taken);
    }
  }

  private void start(SubmissionQueue queue) {
    later(() -> work(queue));
  }

  private void taken(CompletionQueue queue) {
    if (!queue.isPending() && !queues.arePending()) {
      lines &= ~(1 << queue.vector());
      updateLine();
    }
    later(() -> {
      post(queue);
      queues.of(queue).forEach(this::work);
    });
  }

  /** Does work after this access; a queue that can't be reached is fatal. */
  private void later(Runnable work) {
    host.later(() -> {
      try {
        work.run();
      } catch (Memory.Unreachable e) {
        registers.set(Layouts.INT32, REG_STATUS, FATAL);
      }
    });
  }

  private void work(SubmissionQueue queue) {
    while (queue.hasNext()) {
      run(queue, queue.next(host));
    }
  }

  private void run(SubmissionQueue queue, Command command) {
    CommandData data = new CommandData(host, pageBytes);
    CompletionQueue ended = queue.completions();
    try {
      OptionalInt result;
      if (queue.id() == 0) {
        result = admin.run(command, data, pageBytes, host.messagesEnabled());
      } else {
        disk.run(command, data);
        result = OptionalInt.of(0);
      }
      if (result.isEmpty()) {
        return;
      }
      ended.add(queue, command, result.getAsInt(), 0);
    } catch (Failed e) {
      ended.add(queue, command, 0, e.status());
    }
    post(ended);
  }

  private void post(CompletionQueue queue) {
    queue.post(host);
    if (!queue.hasInterrupts() || !queue.isPending()) {
      return;
    }
    if (host.messagesEnabled()) {
      host.send(queue.vector());
    } else {
      lines |= 1 << queue.vector();
      updateLine();
    }
  }
}
