package dev.iolite.tdi.guest;

import dev.iolite.kernel.Registers;
import dev.iolite.pci.EduRegs;
import dev.iolite.steps.ScenarioException;
import dev.iolite.tdi.layout.Kind;
import java.time.Duration;

/**
 * DMA of QEMU's {@code edu} device, driven by its guest: from the guest's memory into the device,
 * and from there to the device's own BAR, at the address where the IOAS maps a dma-buf.
 */
public final class EduDma implements Registers {
  /** The page of the guest's memory that it uses. */
  public static final long RAM_GPA = 0x3000;

  private static final int PATTERN = 0x10_11_7e_57;
  private static final Duration DEADLINE = Duration.ofSeconds(10);

  private final GuestAgent guest;
  private final long bar;

  /**
   * Drives the device.
   *
   * @param bar where the guest and the IOAS have BAR 0
   */
  public EduDma(GuestAgent guest, long bar) {
    this.guest = guest;
    this.bar = bar;
  }

  /** Writes by DMA to the register that reads back the complement. */
  public Check run() {
    guest.write(RAM_GPA, Integer.BYTES, PATTERN, Kind.SHARED);
    copy(RAM_GPA, EduRegs.BUFFER, 0);
    copy(EduRegs.BUFFER, bar + EduRegs.LIVENESS, EduRegs.DMA_TO_MEMORY);
    int seen = read32(EduRegs.LIVENESS);
    return new Check(
        "DMA to IOVA 0x%x reaches the BAR that is mapped there".formatted(bar + EduRegs.LIVENESS),
        seen == ~PATTERN,
        "the register reads 0x%x after 0x%x was written by DMA".formatted(seen, PATTERN));
  }

  private void copy(long from, long to, int flags) {
    awaitIdle();
    EduRegs.startDma(this, Integer.BYTES, from, to, Integer.BYTES, flags);
    awaitIdle();
  }

  /** Waits for the device, which may still be running a DMA of an earlier use. */
  private void awaitIdle() {
    long end = System.nanoTime() + DEADLINE.toNanos();
    while (!EduRegs.isIdle(this)) {
      if (System.nanoTime() > end) {
        throw new ScenarioException("the edu device did not finish a DMA in " + DEADLINE);
      }
    }
  }

  @Override
  public void write(long register, int bytes, long value) {
    guest.write(bar + register, bytes, value, Kind.SHARED);
  }

  @Override
  public long read(long register, int bytes) {
    return switch (guest.read(bar + register, bytes, Kind.SHARED)) {
      case GuestAnswer.Reached(long value) -> value;
      case GuestAnswer other ->
          throw new ScenarioException("the guest was to read the device's register: " + other);
    };
  }
}
