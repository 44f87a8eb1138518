package dev.iolite.passthrough;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kernel.Page;
import dev.iolite.steps.ScenarioException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Just enough of an NVMe driver to ask a controller for its identity: the admin queue and the
 * Identify command. Registers and structures are those of the NVM Express Base Specification.
 */
final class NvmeController implements AutoCloseable {
  /**
   * The memory that it needs: a page each for the submission queue, the completion queue and the
   * data.
   */
  static final long MEMORY_BYTES = 3 * 4096;

  /** The PCI class code of NVM Express controllers. */
  static final int PCI_CLASS = 0x01_08_02;

  private static final long COMPLETION_QUEUE = Page.BYTES;
  private static final long DATA = 2 * Page.BYTES;
  private static final int ENTRIES = 16;

  private static final long CAP = 0x00;
  private static final long CC = 0x14;
  private static final long CSTS = 0x1c;
  private static final long AQA = 0x24;
  private static final long ASQ = 0x28;
  private static final long ACQ = 0x30;
  private static final long DOORBELLS = 0x1000;

  private static final int CC_ENABLE = 1;
  private static final int CC_ENTRY_SIZES = 6 << 16 | 4 << 20;
  private static final int CSTS_READY = 1;
  private static final int CSTS_FATAL = 2;

  private static final byte IDENTIFY = 0x06;
  private static final int IDENTIFY_CONTROLLER = 1;
  private static final short COMMAND_ID = 0x1071;
  private static final long SUBMISSION_PRP1 = 24;
  private static final long SUBMISSION_CDW10 = 40;
  private static final long COMPLETION_DW3 = 12;
  private static final int COMPLETION_PHASE = 1 << 16;

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle STATUS = INT.varHandle();

  private final DeviceMemory registers;
  private final MemorySegment memory;
  private final long iova;
  private final Wait wait;
  private final Duration deadline;
  private final long completionDoorbell;

  /**
   * Takes over a controller, whatever state it is in: disables it, gives it an admin queue and
   * enables it.
   *
   * @param registers its BAR 0
   * @param memory {@link #MEMORY_BYTES} of zeroed memory
   * @param iova where the controller sees that memory, a multiple of 4096
   * @throws ScenarioException if it does not become ready within the time that it promises
   */
  NvmeController(DeviceMemory registers, MemorySegment memory, long iova, Wait wait) {
    this.registers = registers;
    this.memory = memory;
    this.iova = iova;
    this.wait = wait;
    long cap = registers.read64(CAP);
    this.deadline = Duration.ofMillis(500 * Math.max(1, cap >>> 24 & 0xff));
    this.completionDoorbell = DOORBELLS + (4L << (cap >>> 32 & 0xf));

    disable();
    registers.write32(AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
    registers.write64(ASQ, iova);
    registers.write64(ACQ, iova + COMPLETION_QUEUE);
    registers.write32(CC, CC_ENTRY_SIZES | CC_ENABLE);
    try (CloseStack enabled = new CloseStack()) {
      enabled.onClose(this::disable);
      wait.until(
          "the NVMe controller to become ready",
          deadline,
          () -> (status() & CSTS_READY) == CSTS_READY);
      enabled.release();
    }
  }

  /**
   * A controller's identity.
   *
   * @param model its model number
   * @param serial its serial number
   * @param firmware its firmware's revision
   */
  record Identity(String model, String serial, String firmware) {}

  /**
   * Sends Identify Controller, the first command of this queue.
   *
   * @throws ScenarioException if no answer comes, or one with an error status
   */
  Identity identify() {
    memory.set(ValueLayout.JAVA_BYTE, 0, IDENTIFY);
    memory.set(SHORT, 2, COMMAND_ID);
    memory.set(LONG, SUBMISSION_PRP1, iova + DATA);
    memory.set(INT, SUBMISSION_CDW10, IDENTIFY_CONTROLLER);
    registers.write32(DOORBELLS, 1);
    wait.until(
        "the answer to NVMe Identify", deadline, () -> (completion() & COMPLETION_PHASE) != 0);
    int completion = completion();
    registers.write32(completionDoorbell, 1);
    int status = completion >>> 17;
    if (status != 0 || (short) completion != COMMAND_ID) {
      throw new ScenarioException(
          "NVMe Identify ended with status 0x%x for command 0x%x"
              .formatted(status, completion & 0xffff));
    }
    return new Identity(text(24, 40), text(4, 20), text(64, 8));
  }

  private int completion() {
    return (int) STATUS.getVolatile(memory, COMPLETION_QUEUE + COMPLETION_DW3);
  }

  private String text(long offset, int length) {
    byte[] bytes = memory.asSlice(DATA + offset, length).toArray(ValueLayout.JAVA_BYTE);
    return new String(bytes, StandardCharsets.US_ASCII).strip();
  }

  private int status() {
    int status = registers.read32(CSTS);
    if ((status & CSTS_FATAL) != 0) {
      throw new ScenarioException(
          "the NVMe controller reports a fatal status: 0x%x".formatted(status));
    }
    return status;
  }

  /** Disables it, whatever state it is in: this is the way out of a fatal one. */
  private void disable() {
    registers.write32(CC, 0);
    wait.until(
        "the NVMe controller to stop", deadline, () -> (registers.read32(CSTS) & CSTS_READY) == 0);
  }

  /** Disables the controller: it no longer makes DMA to its queues. */
  @Override
  public void close() {
    disable();
  }
}
