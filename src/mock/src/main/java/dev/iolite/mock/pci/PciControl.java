package dev.iolite.mock.pci;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.ReservedRegion;
import dev.iolite.mock.core.Task;
import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;

/**
 * Drives a function from outside the kernel, for tests: pulls it out, makes it interrupt, looks at
 * its memory. Safe for use by many threads.
 */
public final class PciControl {
  private final Task task;
  private final PciBus bus;
  private final PciFunction function;

  PciControl(Task task, PciBus bus, PciFunction function) {
    this.task = task;
    this.bus = bus;
    this.function = function;
  }

  /** The function's address. */
  public Bdf address() {
    return function.address();
  }

  /** Runs code under the model's lock; its changes wake those who wait for them. */
  public <T> T locked(Supplier<T> body) {
    return task.locked(body);
  }

  private void locked(Runnable body) {
    locked(() -> {
      body.run();
      return task;
    });
  }

  /**
   * Pulls it out (surprise removal): it reads as all ones, makes no DMA and sends no interrupt from
   * now on. The kernel notices, and releases it from its driver as soon as nobody uses it.
   */
  public void pullOut() {
    locked(() -> bus.unplug(function));
  }

  /**
   * Plugs it in again, after the kernel has released it.
   *
   * @throws dev.iolite.mock.core.Refused EBUSY while the kernel still has it
   */
  public void plugIn() {
    locked(() -> bus.plug(function));
  }

  /** Sends an interrupt message of the device. */
  public void send(int vector) {
    locked(() -> function.interrupts().send(vector));
  }

  /** Asserts or deasserts the device's interrupt line. */
  public void setLine(boolean asserted) {
    locked(() -> function.interrupts().setLine(asserted));
  }

  /**
   * Reads the memory behind a BAR, but not the registers in front of it, whether the BAR answers or
   * not.
   */
  public void peek(int bar, long offset, MemorySegment into) {
    locked(() -> function.memory(bar).read(offset, into));
  }

  /** Writes the memory behind a BAR; the same holds as for {@link #peek}. */
  public void poke(int bar, long offset, MemorySegment from) {
    locked(() -> function.memory(bar).write(offset, from));
  }

  /**
   * Makes the host itself hold the addresses of a BAR, as the boot framebuffer does.
   *
   * @param holder its name in {@code /proc/iomem}
   */
  public void hold(int bar, String holder) {
    locked(() -> bus.device(function).orElseThrow().holders().put(bar, holder));
  }

  /**
   * Makes the firmware demand that the function always reaches a range one to one
   * (IOMMU_RESV_DIRECT). An assigned IOMMU group can't meet that demand.
   *
   * @param last the last address of the range
   */
  public void demandOneToOne(long first, long last) {
    locked(() ->
        function
            .group()
            .orElseThrow()
            .reserve(new ReservedRegion(first, last, ReservedRegion.Kind.DIRECT)));
  }

  /** Reads configuration space from the hardware. */
  public int config(int offset, int width) {
    return locked(() -> function.configRead(offset, width));
  }

  /**
   * Sets the number of vectors that the host has for the function's interrupt messages, from the
   * next time they are enabled. It can be lower than the function's own number, as on a host whose
   * other devices use the vectors up, or on one without interrupt remapping, where MSI has a single
   * vector.
   *
   * @throws dev.iolite.mock.core.Refused ENODEV: the kernel has released the function
   */
  public void limitVectors(int most) {
    locked(() -> bus.device(function).orElseThrow(() -> refused(Errno.ENODEV)).setVectors(most));
  }

  /** Resets the function behind the kernel's back. */
  public void reset() {
    locked(function::reset);
  }

  /** The function. */
  public PciFunction function() {
    return function;
  }
}
