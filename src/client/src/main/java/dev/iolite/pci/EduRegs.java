package dev.iolite.pci;

import dev.iolite.kernel.Registers;

/**
 * The registers of QEMU's {@code edu} device, as its docs/specs/edu.rst describes them: 1 MiB in
 * BAR 0, with a 4 KiB buffer that DMA fills and empties, factorials, and an interrupt.
 *
 * <p>Safe for use by several threads.
 */
public final class EduRegs {
  public static final int VENDOR = 0x1234;
  public static final int DEVICE = 0x11e8;

  /** Identification: {@link #IDENTIFICATION}. */
  public static final int ID = 0x00;

  /** What {@link #ID} reads: version 1.0 and the letters "ed". */
  public static final int IDENTIFICATION = 0x0100_00ed;

  /** Reads the complement of what was written. */
  public static final int LIVENESS = 0x04;

  /** Takes a number, and reads its factorial. */
  public static final int FACTORIAL = 0x08;

  public static final int STATUS = 0x20;

  /** Status: a factorial ends with an interrupt. */
  public static final int STATUS_IRQ_AFTER_FACTORIAL = 0x80;

  /** The pending causes of the interrupt. */
  public static final int IRQ_STATUS = 0x24;

  /** Raises the interrupt for the causes written. */
  public static final int IRQ_RAISE = 0x60;

  /** Clears the causes written. */
  public static final int IRQ_ACK = 0x64;

  public static final int IRQ_FACTORIAL = 1;
  public static final int IRQ_DMA = 0x100;

  /** Where a DMA reads: an IOVA, or {@link #BUFFER}. */
  public static final int DMA_SOURCE = 0x80;

  /** Where a DMA writes: an IOVA, or {@link #BUFFER}. */
  public static final int DMA_DESTINATION = 0x88;

  public static final int DMA_COUNT = 0x90;

  /** Starts a DMA. */
  public static final int DMA_COMMAND = 0x98;

  /** DMA command: starts it; reads as 1 until it has ended. */
  public static final int DMA_RUN = 1;

  /** DMA command: from the buffer to memory, not the other way round. */
  public static final int DMA_TO_MEMORY = 2;

  /** DMA command: ends with an interrupt. */
  public static final int DMA_IRQ = 4;

  /** The device's own address of its buffer. */
  public static final int BUFFER = 0x4_0000;

  public static final int BUFFER_BYTES = 4096;

  private EduRegs() {}

  /** Whether a function is an {@code edu} device. */
  public static boolean isEdu(PciDevice function) {
    return function.vendor() == VENDOR && function.device() == DEVICE;
  }

  /** Returns whether no DMA is in progress; the device takes only one at a time. */
  public static boolean isIdle(Registers bar) {
    return (bar.read32(DMA_COMMAND) & DMA_RUN) == 0;
  }

  /**
   * Starts a DMA on an idle device.
   *
   * @param width the width of the register accesses, 4 or 8 bytes
   * @param flags {@link #DMA_TO_MEMORY}, {@link #DMA_IRQ} or both, or 0
   */
  public static void startDma(
      Registers bar, int width, long source, long destination, int bytes, int flags) {
    bar.write(DMA_SOURCE, width, source);
    bar.write(DMA_DESTINATION, width, destination);
    bar.write(DMA_COUNT, width, bytes);
    bar.write(DMA_COMMAND, width, DMA_RUN | flags);
  }
}
