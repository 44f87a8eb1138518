package dev.iolite.tdi.evidence;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Writes MEASUREMENTS messages, right ones and wrong ones. */
final class MessageBytes {
  private static final int HEAD_BYTES = 8;
  private static final int BLOCK_HEAD_BYTES = 7;

  private final ByteArrayOutputStream record = new ByteArrayOutputStream();
  private final ByteArrayOutputStream rest = new ByteArrayOutputStream();
  private final int version;
  private int count;
  private int parameter;
  private int blocks;

  /** Of SPDM 1.2. */
  MessageBytes() {
    this(0x12);
  }

  MessageBytes(int version) {
    this.version = version;
  }

  /** Its parameters: the number of measurements, and slot and change. */
  MessageBytes parameters(int first, int second) {
    count = first;
    parameter = second;
    return this;
  }

  /** Adds a block; bit 7 of its type says that the value is no digest. */
  MessageBytes block(int index, int type, byte... value) {
    ByteBuffer block =
        ByteBuffer.allocate(BLOCK_HEAD_BYTES + value.length).order(ByteOrder.LITTLE_ENDIAN);
    block.put((byte) index).put((byte) 1).putShort((short) (value.length + 3));
    block.put((byte) type).putShort((short) value.length).put(value);
    record.writeBytes(block.array());
    blocks++;
    return this;
  }

  /** Adds the nonce, filled with a byte, and bytes of the device's own. */
  MessageBytes end(int fill, byte... opaque) {
    ByteBuffer end =
        ByteBuffer.allocate(Measurements.NONCE_BYTES + Short.BYTES + opaque.length)
            .order(ByteOrder.LITTLE_ENDIAN);
    while (end.position() < Measurements.NONCE_BYTES) {
      end.put((byte) fill);
    }
    end.putShort((short) opaque.length).put(opaque);
    rest.writeBytes(end.array());
    return this;
  }

  /** Adds bytes after all. */
  MessageBytes after(byte... more) {
    rest.writeBytes(more);
    return this;
  }

  byte[] toArray() {
    ByteBuffer all =
        ByteBuffer.allocate(HEAD_BYTES + record.size() + rest.size())
            .order(ByteOrder.LITTLE_ENDIAN);
    all.put((byte) version).put((byte) 0x60).put((byte) count).put((byte) parameter);
    all.putInt(record.size() << 8 | blocks).put(record.toByteArray()).put(rest.toByteArray());
    return all.array();
  }

  Measurements parse() {
    return Evidence.parse(MemorySegment.ofArray(toArray())).measurements();
  }
}
