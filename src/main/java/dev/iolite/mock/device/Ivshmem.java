package dev.iolite.mock.device;

/**
 * QEMU's {@code ivshmem-plain}: BAR 2 is plain memory, and BAR 0, smaller than a page, has
 * registers that do nothing without interrupts.
 */
public final class Ivshmem {
  /** PCI vendor id. */
  public static final int VENDOR = 0x1af4;

  /** PCI device id. */
  public static final int DEVICE = 0x1110;

  /** The BAR that is memory. */
  public static final int MEMORY_BAR = 2;

  /** How much memory it has, in bytes. */
  public static final int MEMORY_BYTES = 1 << 20;

  private static final int REGISTERS_BYTES = 256;

  private Ivshmem() {}

  /** The device. */
  public static DeviceModel model() {
    return DeviceModel.memory(
        DeviceShape.builder(VENDOR, DEVICE)
            .classCode(0x05_0000)
            .revision(1)
            .withoutInterruptPin()
            .bar(Bar.memory32(0, REGISTERS_BYTES))
            .bar(Bar.prefetchable64(MEMORY_BAR, MEMORY_BYTES))
            .build());
  }
}
