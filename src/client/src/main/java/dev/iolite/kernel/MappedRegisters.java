package dev.iolite.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Registers in mapped memory. Loads and stores happen in program order and are never merged. */
final class MappedRegisters implements DeviceMemory.Batch {
  private static final VarHandle INT8 = ValueLayout.JAVA_BYTE.varHandle();
  private static final VarHandle INT16 = littleEndian(ValueLayout.JAVA_SHORT);
  private static final VarHandle INT32 = littleEndian(ValueLayout.JAVA_INT);
  private static final VarHandle INT64 = littleEndian(ValueLayout.JAVA_LONG);

  private MemorySegment memory;

  MappedRegisters(MemorySegment memory) {
    this.memory = memory;
  }

  private static VarHandle littleEndian(ValueLayout layout) {
    return layout.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
  }

  @Override
  public long read(long offset, int bytes) {
    return switch (bytes) {
      case Byte.BYTES -> Byte.toUnsignedLong((byte) INT8.getVolatile(memory, offset));
      case Short.BYTES -> Short.toUnsignedLong((short) INT16.getVolatile(memory, offset));
      case Integer.BYTES -> Integer.toUnsignedLong((int) INT32.getVolatile(memory, offset));
      case Long.BYTES -> (long) INT64.getVolatile(memory, offset);
      default -> throw new IllegalArgumentException("a register of " + bytes + " bytes");
    };
  }

  @Override
  public void write(long offset, int bytes, long value) {
    switch (bytes) {
      case Byte.BYTES -> INT8.setVolatile(memory, offset, (byte) value);
      case Short.BYTES -> INT16.setVolatile(memory, offset, (short) value);
      case Integer.BYTES -> INT32.setVolatile(memory, offset, (int) value);
      case Long.BYTES -> INT64.setVolatile(memory, offset, value);
      default -> throw new IllegalArgumentException("a register of " + bytes + " bytes");
    }
  }

  @Override
  public void end() {
    memory = MemorySegment.NULL;
  }
}
