package dev.iolite.mock.device;

import dev.iolite.kernel.Registers;
import java.util.Optional;

/**
 * QEMU's {@code ivshmem-plain} (hw/misc/ivshmem-pci.c): BAR 2 is plain memory, and BAR 0, which is
 * smaller than a page, has registers that do nothing without interrupts.
 */
public final class Ivshmem implements DeviceLogic {
  /** PCI vendor id. */
  public static final int VENDOR = 0x1af4;

  /** PCI device id. */
  public static final int DEVICE = 0x1110;

  /** The BAR that is memory. */
  public static final int MEMORY_BAR = 2;

  /** How much memory it has, in bytes. */
  public static final int MEMORY_BYTES = 1 << 20;

  private static final int REGISTERS_BAR = 0;
  private static final int REGISTERS_BYTES = 256;
  private static final int INTERRUPT_MASK = 0;
  private static final int INTERRUPT_STATUS = 4;

  private int interruptMask;
  private int interruptStatus;

  private Ivshmem() {}

  /** The device. */
  public static DeviceModel model() {
    return new DeviceModel(
        DeviceShape.builder(VENDOR, DEVICE)
            .classCode(0x05_0000)
            .revision(1)
            .withoutInterruptPin()
            .bar(Bar.memory32(REGISTERS_BAR, REGISTERS_BYTES))
            .bar(Bar.prefetchable64(MEMORY_BAR, MEMORY_BYTES))
            .build(),
        _ -> new Ivshmem());
  }

  @Override
  public Optional<Registers> registers(int bar) {
    return bar == REGISTERS_BAR ? Optional.of(new Bar0()) : Optional.empty();
  }

  @Override
  public void reset() {
    interruptMask = 0;
    interruptStatus = 0;
  }

  /** Two 32-bit registers; everything else is 0, including the position of the only peer. */
  private final class Bar0 implements Registers {
    @Override
    public long read(long offset, int bytes) {
      if (offset == INTERRUPT_MASK) {
        return interruptMask;
      }
      if (offset == INTERRUPT_STATUS) {
        int status = interruptStatus;
        interruptStatus = 0;
        return status;
      }
      return 0;
    }

    @Override
    public void write(long offset, int bytes, long value) {
      if (offset == INTERRUPT_MASK) {
        interruptMask = (int) value;
      } else if (offset == INTERRUPT_STATUS) {
        interruptStatus = (int) value;
      }
    }
  }
}
