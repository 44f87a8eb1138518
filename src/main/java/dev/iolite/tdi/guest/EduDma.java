package dev.iolite.tdi.guest;

import dev.iolite.steps.ScenarioException;
import dev.iolite.tdi.layout.Kind;
import java.time.Duration;

/**
 * DMA of QEMU's {@code edu} device, driven by its guest: from the guest's memory into the device,
 * and from there to the device's own BAR, by the address that the IOAS has a dma-buf at.
 */
public final class EduDma {
  /** PCI vendor and device id. */
  public static final int VENDOR = 0x1234;

  public static final int DEVICE = 0x11e8;

  /** The page of the guest's memory that it takes. */
  public static final long RAM_GPA = 0x3000;

  private static final long LIVENESS = 0x04;
  private static final long SOURCE = 0x80;
  private static final long DESTINATION = 0x88;
  private static final long COUNT = 0x90;
  private static final long COMMAND = 0x98;
  private static final int START = 1;
  private static final int FROM_DEVICE = 2;
  private static final int BUFFER = 0x4_0000;
  private static final int WORD = 4;
  private static final int PATTERN = 0x10_11_7e_57;
  private static final Duration DEADLINE = Duration.ofSeconds(10);

  private final GuestAgent guest;
  private final long bar;

  /**
   * Drives the device.
   *
   * @param bar where the guest has BAR 0, and the IOAS
   */
  public EduDma(GuestAgent guest, long bar) {
    this.guest = guest;
    this.bar = bar;
  }

  /** Writes the register that reads back the complement, by DMA. */
  public Check run() {
    guest.write(RAM_GPA, WORD, PATTERN, Kind.SHARED);
    copy((int) RAM_GPA, BUFFER, START);
    copy(BUFFER, (int) (bar + LIVENESS), START | FROM_DEVICE);
    int seen = read(LIVENESS);
    return new Check(
        "DMA to IOVA 0x%x reaches the BAR that is mapped there".formatted(bar + LIVENESS),
        seen == ~PATTERN,
        "the register reads 0x%x after 0x%x was written by DMA".formatted(seen, PATTERN));
  }

  private void copy(int from, int to, int command) {
    awaitIdle();
    write(SOURCE, from);
    write(DESTINATION, to);
    write(COUNT, WORD);
    write(COMMAND, command);
    awaitIdle();
  }

  /** A device that runs a DMA, be it of an earlier use, takes no new command. */
  private void awaitIdle() {
    long end = System.nanoTime() + DEADLINE.toNanos();
    while ((read(COMMAND) & START) != 0) {
      if (System.nanoTime() > end) {
        throw new ScenarioException("the edu device did not finish a DMA in " + DEADLINE);
      }
    }
  }

  private void write(long register, int value) {
    guest.write(bar + register, WORD, value, Kind.SHARED);
  }

  private int read(long register) {
    return switch (guest.read(bar + register, WORD, Kind.SHARED)) {
      case GuestAnswer.Reached(long value) -> (int) value;
      case GuestAnswer other ->
          throw new ScenarioException("the guest was to read the device's register: " + other);
    };
  }
}
