package dev.iolite.passthrough;

import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kernel.EventFd;
import dev.iolite.pci.EduRegs;
import dev.iolite.steps.ScenarioException;
import java.time.Duration;

/** QEMU's {@code edu} device, driven by the host. */
final class EduDevice {
  /** The most that one DMA may move: half of the device's buffer. */
  static final int MOST_BYTES = EduRegs.BUFFER_BYTES / 2;

  private static final Duration DEADLINE = Duration.ofSeconds(10);

  /** How long it may go unnoticed that the work is to be stopped. */
  private static final Duration LOOK = Duration.ofMillis(100);

  private final DeviceMemory registers;
  private final EventFd interrupt;
  private final Wait wait;

  /**
   * Drives the device.
   *
   * @param registers its BAR 0
   * @param interrupt the eventfd that its interrupt is delivered to
   */
  EduDevice(DeviceMemory registers, EventFd interrupt, Wait wait) {
    this.registers = registers;
    this.interrupt = interrupt;
    this.wait = wait;
  }

  /**
   * What the identification register reads; {@link EduRegs#IDENTIFICATION} if this is the device.
   */
  int identification() {
    return registers.read32(EduRegs.ID);
  }

  /** What was last written to the liveness register, no matter by whom. */
  int liveness() {
    return ~registers.read32(EduRegs.LIVENESS);
  }

  /**
   * Makes the device raise its interrupt, and waits for it.
   *
   * @param cause the bits to raise it with; the status register returns them
   * @throws ScenarioException if it does not come, or comes with another cause
   */
  void interrupt(int cause) {
    settle();
    registers.write32(EduRegs.IRQ_RAISE, cause);
    awaitInterrupt(cause);
  }

  /**
   * Lets a DMA end that was left over by a use which was cut short, and clears any interrupt that
   * it left raised: the device has no reset.
   */
  private void settle() {
    wait.until("the end of a DMA that ran before", DEADLINE, () -> EduRegs.isIdle(registers));
    registers.write32(EduRegs.IRQ_ACK, registers.read32(EduRegs.IRQ_STATUS));
    interrupt.await(Duration.ZERO);
  }

  /** Copies from memory at an IOVA into the device's buffer, by DMA. */
  void readFrom(long iova, int bytes) {
    dma(iova, EduRegs.BUFFER, bytes, 0);
  }

  /** Copies from the device's buffer into memory at an IOVA, by DMA. */
  void writeTo(long iova, int bytes) {
    dma(EduRegs.BUFFER, iova, bytes, EduRegs.DMA_TO_MEMORY);
  }

  private void dma(long source, long destination, int bytes, int flags) {
    EduRegs.startDma(registers, Long.BYTES, source, destination, bytes, flags | EduRegs.DMA_IRQ);
    awaitInterrupt(EduRegs.IRQ_DMA);
  }

  private void awaitInterrupt(int cause) {
    wait.until(
        "the device's interrupt with cause 0x%x".formatted(cause),
        DEADLINE,
        () -> interrupt.await(LOOK) != 0);
    int status = registers.read32(EduRegs.IRQ_STATUS);
    registers.write32(EduRegs.IRQ_ACK, status);
    if (status != cause) {
      throw new ScenarioException(
          "the interrupt came with cause 0x%x instead of 0x%x".formatted(status, cause));
    }
  }
}
