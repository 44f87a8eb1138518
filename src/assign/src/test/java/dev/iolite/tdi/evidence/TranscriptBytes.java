package dev.iolite.tdi.evidence;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Writes SPDM messages one after the other, as requester and device exchange them. */
final class TranscriptBytes {
  static final int SIGNED = 1;
  static final int ALL = 0xff;

  private final ByteArrayOutputStream all = new ByteArrayOutputStream();
  private final int version;

  /** Of 0x11 to 0x15. */
  TranscriptBytes(int version) {
    this.version = version;
  }

  static byte[] filled(int bytes, int fill) {
    byte[] filled = new byte[bytes];
    Arrays.fill(filled, (byte) fill);
    return filled;
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private ByteBuffer message(int bytes, int code) {
    return buffer(bytes).put((byte) version).put((byte) code);
  }

  TranscriptBytes add(byte... more) {
    all.writeBytes(more);
    return this;
  }

  private TranscriptBytes add(ByteBuffer message) {
    message.rewind();
    while (message.hasRemaining()) {
      all.write(message.get());
    }
    return this;
  }

  /** From GET_VERSION to ALGORITHMS, with the bits of the chosen algorithms. */
  TranscriptBytes negotiated(int signing, int hash) {
    add((byte) 0x10, (byte) 0x84, (byte) 0, (byte) 0);
    // Two versions: 1.1, and this one.
    add((byte) 0x10, (byte) 4, (byte) 0, (byte) 0, (byte) 0, (byte) 2);
    add((byte) 0, (byte) 0x11, (byte) 0, (byte) version);
    int bytes = version == 0x11 ? 12 : 20;
    add(message(bytes, 0xe1).putInt(8, 0x82c6).array());
    add(message(bytes, 0x61).putInt(8, 0xfbf7).array());
    return algorithms(signing, hash);
  }

  /** NEGOTIATE_ALGORITHMS and ALGORITHMS; each has a table of 4 bytes at its end. */
  TranscriptBytes algorithms(int signing, int hash) {
    ByteBuffer offered = message(36, 0xe3).put((byte) 1).put((byte) 0);
    offered.putShort((short) 36).put((byte) 1).put((byte) 2).putInt(0xfff).putInt(0x7f);
    offered.putInt(32, 0x00082002);
    add(offered);
    ByteBuffer chosen = message(40, 0x63).put((byte) 1).put((byte) 0);
    chosen.putShort((short) 40).put((byte) 1).put((byte) 2).putInt(4).putInt(signing).putInt(hash);
    chosen.putInt(36, 0x00082002);
    return add(chosen);
  }

  /** GET_MEASUREMENTS, with a nonce if it wants a signature, and a context in 1.3. */
  TranscriptBytes request(int attributes, int operation, byte[] nonce, int slot, byte[] context) {
    boolean isSigned = (attributes & SIGNED) != 0;
    add(message(4, 0xe0).put((byte) attributes).put((byte) operation).array());
    if (isSigned) {
      add(nonce).add((byte) slot);
    }
    return version >= 0x13 ? add(context) : this;
  }

  /** GET_DIGESTS and DIGESTS of the slots 0 and 1, also with what 1.3 adds for each key. */
  TranscriptBytes digests(int digestBytes, boolean keys) {
    add(message(4, 0x81).array());
    add(message(4, 1).put(3, (byte) 3).array());
    return add(filled(2 * digestBytes, 5)).add(new byte[keys ? 8 : 0]);
  }

  /** GET_CERTIFICATE and CERTIFICATE. */
  TranscriptBytes certificate(int slot, int offset, byte[] portion, int remainder) {
    ByteBuffer request = message(8, 0x82).put((byte) slot).put((byte) 0);
    add(request.putShort((short) offset).putShort((short) 0x1000));
    ByteBuffer answer = message(8, 2).put((byte) slot).put((byte) 0);
    return add(answer.putShort((short) portion.length).putShort((short) remainder)).add(portion);
  }

  byte[] toArray() {
    return all.toByteArray();
  }

  Evidence parse() {
    return Evidence.parse(MemorySegment.ofArray(toArray()));
  }
}
