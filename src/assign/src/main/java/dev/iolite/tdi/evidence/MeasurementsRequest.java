package dev.iolite.tdi.evidence;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * A request for measurements: SPDM's GET_MEASUREMENTS message.
 *
 * <pre>
 *  0  1   version
 *  1  1   code, 0xe0
 *  2  1   attributes; bit 0: with a signature
 *  3  1   what is asked for: 0 the number of measurements, 255 all of them, else the one of an index
 *     32  a nonce, if a signature is asked for
 *     1   the slot of the certificates, if a signature is asked for
 *     8   from 1.3 on, anything: the answer repeats it
 * </pre>
 *
 * @param signed whether a signature was asked for
 * @param operation 0 for their number, 255 for all, else an index
 * @param nonce the requester's nonce; empty without a signature
 * @param slot the slot of the device's certificates, 0 to 15; 0 without a signature
 * @param context the requester's context; empty before 1.3
 */
public record MeasurementsRequest(
    SpdmVersion version,
    boolean signed,
    int operation,
    Optional<MemorySegment> nonce,
    int slot,
    Optional<MemorySegment> context) {
  /** Requests the number of measurements. */
  static final int COUNT = 0;

  /** Requests all of them. */
  static final int ALL = 255;

  /** The slot is in the low half of a byte, here and in the answer. */
  static final int SLOT = 0xf;

  /** The length of the context, which the answer repeats from 1.3 on, in bytes. */
  static final int CONTEXT_BYTES = 8;

  /** The bits of the attributes: with a signature, raw values, measured anew. */
  static final int ATTRIBUTES = 7;

  private static final int SIGNED = 1;
  private static final int HEAD_BYTES = 4;
  private static final int ATTRIBUTES_AT = 2;
  private static final int OPERATION_AT = 3;
  private static final int SLOT_AT = HEAD_BYTES + Measurements.NONCE_BYTES;

  static MeasurementsRequest read(MessageReader in) {
    SpdmVersion version = in.version(HEAD_BYTES);
    boolean signed = (in.u8(ATTRIBUTES_AT) & SIGNED) != 0;
    int contextAt = bytes(version, signed) - contextBytes(version);
    in.require(HEAD_BYTES, bytes(version, signed), "the rest of the request");
    return new MeasurementsRequest(
        version,
        signed,
        in.u8(OPERATION_AT),
        signed ? Optional.of(in.copy(HEAD_BYTES, Measurements.NONCE_BYTES)) : Optional.empty(),
        signed ? in.u8(SLOT_AT) & SLOT : 0,
        version.isAtLeast(SpdmVersion.V1_3)
            ? Optional.of(in.copy(contextAt, CONTEXT_BYTES))
            : Optional.empty());
  }

  /** Its length. */
  int bytes() {
    return bytes(version, signed);
  }

  private static int bytes(SpdmVersion version, boolean signed) {
    return (signed ? SLOT_AT + 1 : HEAD_BYTES) + contextBytes(version);
  }

  private static int contextBytes(SpdmVersion version) {
    return version.isAtLeast(SpdmVersion.V1_3) ? CONTEXT_BYTES : 0;
  }

  /**
   * The bytes of the request that an answer is for, assuming that it was for all measurements with
   * a signature.
   *
   * @param attributes the attributes, with the bit for a signature
   */
  static byte[] rebuilt(Measurements answer, byte[] nonce, int attributes) {
    ByteBuffer bytes = ByteBuffer.allocate(bytes(answer.version(), true));
    bytes.put((byte) answer.version().number()).put((byte) MessageCode.GET_MEASUREMENTS.number());
    bytes.put((byte) attributes).put((byte) ALL).put(nonce).put((byte) answer.slot());
    answer.context().ifPresent(own -> bytes.put(own.toArray(ValueLayout.JAVA_BYTE)));
    return bytes.array();
  }
}
