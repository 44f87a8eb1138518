package dev.iolite.vmm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The host bridge at 00:00.0: only its identity. */
final class HostBridge implements PciFunction {
  /** The identity of a host bridge without registers of its own, from QEMU's list of PCI ids. */
  private static final int ID = 0x0008_1b36;

  private static final int CLASS_AND_REVISION = 0x0600_0000;
  private static final int CLASS_OFFSET = 8;
  private static final int CONFIG_BYTES = 256;

  private final ByteBuffer config =
      ByteBuffer.allocate(CONFIG_BYTES)
          .order(ByteOrder.LITTLE_ENDIAN)
          .putInt(0, ID)
          .putInt(CLASS_OFFSET, CLASS_AND_REVISION);

  @Override
  public int readConfig(int offset, int bytes) {
    return switch (bytes) {
      case 1 -> Byte.toUnsignedInt(config.get(offset));
      case 2 -> Short.toUnsignedInt(config.getShort(offset));
      default -> config.getInt(offset);
    };
  }

  @Override
  public void writeConfig(int offset, int bytes, int value) {}

  @Override
  public boolean hasMemory(long gpa) {
    return false;
  }

  @Override
  public long readMemory(long gpa, int bytes) {
    return -1;
  }

  @Override
  public void writeMemory(long gpa, int bytes, long value) {}

  @Override
  public boolean hasPort(int port) {
    return false;
  }

  @Override
  public int readPort(int port, int bytes) {
    return -1;
  }

  @Override
  public void writePort(int port, int bytes, int value) {}
}
