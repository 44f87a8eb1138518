package dev.iolite.vmm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A kernel image of a few KiB, with the fields of the setup header that matter. */
final class TestImage {
  static final long LOAD = 0x100_0000;
  static final int INIT_BYTES = 0x20_0000;
  static final int LONGEST_COMMAND_LINE = 2047;
  static final int SETUP_BYTES = 1024;

  private final ByteBuffer bytes =
      ByteBuffer.allocate(SETUP_BYTES + 64).order(ByteOrder.LITTLE_ENDIAN);

  TestImage() {
    bytes.put(0x1f1, (byte) 1);
    bytes.putShort(0x1fe, (short) 0xaa55);
    bytes.put(0x201, (byte) 0x6a);
    bytes.putInt(0x202, 0x5372_6448);
    bytes.putShort(0x206, (short) 0x20f);
    bytes.putInt(0x22c, 0x7fff_ffff);
    bytes.putShort(0x236, (short) 1);
    bytes.putInt(0x238, LONGEST_COMMAND_LINE);
    bytes.putLong(0x258, LOAD);
    bytes.putInt(0x260, INIT_BYTES);
    bytes.putInt(SETUP_BYTES, 0x1234_5678);
  }

  TestImage with16(int offset, int value) {
    bytes.putShort(offset, (short) value);
    return this;
  }

  TestImage with64(int offset, long value) {
    bytes.putLong(offset, value);
    return this;
  }

  byte[] bytes() {
    return bytes.array().clone();
  }

  BzImage image() {
    return new BzImage("test", ByteBuffer.wrap(bytes()));
  }
}
