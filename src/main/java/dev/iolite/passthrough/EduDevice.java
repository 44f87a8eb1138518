package dev.iolite.passthrough;

import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kernel.EventFd;
import dev.iolite.steps.ScenarioException;
import java.time.Duration;

/**
 * QEMU's {@code edu} device: a register file, a 4 KiB buffer that DMA fills and empties, and one
 * interrupt. Its registers are those of QEMU's docs/specs/edu.rst.
 */
final class EduDevice {
  /** PCI vendor and device id, as {@code vendor:device}. */
  static final String PCI_ID = "1234:11e8";

  /** What the identification register reads: version 1.0 and the letters "ed". */
  static final int IDENTIFICATION = 0x0100_00ed;

  /** The most that one DMA may move: half of the device's buffer. */
  static final int MOST_BYTES = 2048;

  /** Where the identification register is. */
  static final long ID = 0x00;

  /** Where the register is that reads back the complement of what was written. */
  static final long LIVENESS = 0x04;

  /** The device's own address of its buffer. */
  private static final long BUFFER = 0x4_0000;

  private static final long IRQ_STATUS = 0x24;
  private static final long IRQ_RAISE = 0x60;
  private static final long IRQ_ACK = 0x64;
  private static final long DMA_SOURCE = 0x80;
  private static final long DMA_DESTINATION = 0x88;
  private static final long DMA_COUNT = 0x90;
  private static final long DMA_COMMAND = 0x98;
  private static final long DMA_START = 1;
  private static final long DMA_TO_RAM = 2;
  private static final long DMA_INTERRUPT = 4;
  private static final int DMA_IRQ_STATUS = 0x100;
  private static final Duration DEADLINE = Duration.ofSeconds(10);

  private final DeviceMemory registers;
  private final EventFd interrupt;

  /**
   * Drives the device.
   *
   * @param registers its BAR 0
   * @param interrupt what its interrupt is delivered to
   */
  EduDevice(DeviceMemory registers, EventFd interrupt) {
    this.registers = registers;
    this.interrupt = interrupt;
  }

  /** What the identification register reads; {@link #IDENTIFICATION} if this is the device. */
  int identification() {
    return registers.read32(ID);
  }

  /** What was last written to the liveness register, no matter by whom. */
  int liveness() {
    return ~registers.read32(LIVENESS);
  }

  /**
   * Makes the device raise its interrupt and waits for it.
   *
   * @param cause the bits to raise it with; they come back from the status register
   * @throws ScenarioException if it does not come, or comes with another cause
   */
  void interrupt(int cause) {
    settle();
    registers.write32(IRQ_RAISE, cause);
    awaitInterrupt(cause);
  }

  /**
   * Lets a DMA end that was started by a use which was cut short, and takes back what that left
   * raised: the device has no reset.
   */
  private void settle() {
    Wait.until(
        "the end of a DMA that ran before",
        DEADLINE,
        () -> (registers.read32(DMA_COMMAND) & DMA_START) == 0);
    registers.write32(IRQ_ACK, registers.read32(IRQ_STATUS));
    interrupt.await(Duration.ZERO);
  }

  /** Copies from memory at an IOVA into the device's buffer, by DMA. */
  void readFrom(long iova, int bytes) {
    dma(iova, BUFFER, bytes, DMA_START | DMA_INTERRUPT);
  }

  /** Copies from the device's buffer into memory at an IOVA, by DMA. */
  void writeTo(long iova, int bytes) {
    dma(BUFFER, iova, bytes, DMA_START | DMA_TO_RAM | DMA_INTERRUPT);
  }

  private void dma(long source, long destination, int bytes, long command) {
    registers.write64(DMA_SOURCE, source);
    registers.write64(DMA_DESTINATION, destination);
    registers.write64(DMA_COUNT, bytes);
    registers.write64(DMA_COMMAND, command);
    awaitInterrupt(DMA_IRQ_STATUS);
  }

  private void awaitInterrupt(int cause) {
    if (interrupt.await(DEADLINE) == 0) {
      throw new ScenarioException(
          "the device raised no interrupt within %d s (cause 0x%x)"
              .formatted(DEADLINE.toSeconds(), cause));
    }
    int status = registers.read32(IRQ_STATUS);
    registers.write32(IRQ_ACK, status);
    if (status != cause) {
      throw new ScenarioException(
          "the interrupt came with cause 0x%x instead of 0x%x".formatted(status, cause));
    }
  }
}
