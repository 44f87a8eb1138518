package dev.iolite.tdi.evidence;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a device answers to SPDM's GET_MEASUREMENTS for all of its measurements: the MEASUREMENTS
 * message of DSP0274 1.2. All of it is little endian:
 *
 * <pre>
 *  0  1     version, 0x12
 *  1  1     code, 0x60
 *  2  2     parameters: not looked at, since they say nothing of what was asked for
 *  4  1     N, the number of blocks
 *  5  3     R, their length
 *  8  R     blocks: 1 index, 1 specification (1: DMTF), 2 length of the rest, which is 1 type (bit 7:
 *           the value is no digest), 2 length of the value, the value
 *     32    the device's nonce
 *     2     L, how many bytes of the device's own follow
 *     L     those bytes
 *     S     the signature; it may be absent
 * </pre>
 *
 * <p>Only the signature, over this and all messages before it, proves that the message is that
 * device's, and made for a request with a certain nonce. It is for who has the device's
 * certificates to check; here it is kept as it is.
 *
 * @param blocks what was measured, as the device has it in order; no index is there twice
 * @param nonce the device's own, 32 bytes
 * @param opaque bytes of the device's own
 * @param signature empty if the message ends before it
 */
public record Measurements(
    List<Measurement> blocks,
    MemorySegment nonce,
    MemorySegment opaque,
    Optional<MemorySegment> signature) {
  /** The length of a nonce, in bytes: that of a request, and that of an answer. */
  public static final int NONCE_BYTES = 32;

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int SPDM_1_2 = 0x12;
  private static final int MEASUREMENTS = 0x60;
  private static final long CODE_AT = 1;
  private static final long COUNT_AT = 4;
  private static final long RECORD_BYTES_AT = 5;
  private static final long HEAD_BYTES = 8;
  private static final long SPECIFICATION_AT = 1;
  private static final long SIZE_AT = 2;
  private static final long TYPE_AT = 4;
  private static final long VALUE_SIZE_AT = 5;

  /** Of a block before its value, and of that what its own length does not count. */
  private static final long BLOCK_HEAD_BYTES = 7;

  private static final long UNCOUNTED_BYTES = 4;

  /** What asks for all measurements in place of an index. */
  private static final int ALL = 255;

  private static final int BYTE = 0xff;
  private static final int DMTF = 1;
  private static final int NO_DIGEST = 1 << 7;
  private static final int MOST_OPAQUE_BYTES = 1024;

  /** The lengths of the signatures of SPDM's algorithms: RSA, ECDSA, SM2 and EdDSA. */
  private static final Set<Long> SIGNATURE_BYTES = Set.of(64L, 96L, 114L, 132L, 256L, 384L, 512L);

  /** Keeps it from changing. */
  public Measurements {
    blocks = List.copyOf(blocks);
    nonce = nonce.asReadOnly();
    opaque = opaque.asReadOnly();
    signature = signature.map(MemorySegment::asReadOnly);
  }

  /** A nonce that nobody can foresee. */
  public static byte[] freshNonce() {
    byte[] nonce = new byte[NONCE_BYTES];
    new SecureRandom().nextBytes(nonce);
    return nonce;
  }

  /**
   * Reads a message. What is not sure to be understood is refused: another version, blocks in
   * another form than DMTF's, of an unknown type or with an index that is there twice, lengths that
   * contradict one another, and bytes that are missing or left over.
   *
   * @param bytes the message and nothing else
   * @throws MalformedMeasurementsException if it breaks a rule; the message says at which byte
   */
  public static Measurements parse(MemorySegment bytes) {
    long size = bytes.byteSize();
    require(size, size, HEAD_BYTES, "its head");
    if (unsigned(bytes, 0) != SPDM_1_2) {
      throw new MalformedMeasurementsException(
          0, "version 0x%02x".formatted(unsigned(bytes, 0)), "only SPDM 1.2, 0x12, is known");
    }
    if (unsigned(bytes, CODE_AT) != MEASUREMENTS) {
      throw new MalformedMeasurementsException(
          CODE_AT,
          "code 0x%02x".formatted(unsigned(bytes, CODE_AT)),
          "a MEASUREMENTS message has 0x60");
    }
    long nonceAt = HEAD_BYTES + (bytes.get(INT, COUNT_AT) >>> Byte.SIZE);
    if (nonceAt > size) {
      throw new MalformedMeasurementsException(
          RECORD_BYTES_AT,
          "%d bytes of blocks".formatted(nonceAt - HEAD_BYTES),
          "the message has %d bytes after its head".formatted(size - HEAD_BYTES));
    }
    List<Measurement> blocks = blocks(bytes.asSlice(0, nonceAt), unsigned(bytes, COUNT_AT));
    long opaqueAt = nonceAt + NONCE_BYTES + Short.BYTES;
    require(size, nonceAt, opaqueAt, "a nonce and a length");
    long opaqueBytes = Short.toUnsignedLong(bytes.get(SHORT, opaqueAt - Short.BYTES));
    long end = opaqueAt + opaqueBytes;
    if (opaqueBytes > MOST_OPAQUE_BYTES || end > size) {
      throw new MalformedMeasurementsException(
          opaqueAt - Short.BYTES,
          "%d bytes of the device's own".formatted(opaqueBytes),
          "there are %d at most, and %d follow".formatted(MOST_OPAQUE_BYTES, size - opaqueAt));
    }
    if (end < size && !SIGNATURE_BYTES.contains(size - end)) {
      throw new MalformedMeasurementsException(
          end,
          "%d bytes at the end".formatted(size - end),
          "there are none, or a signature, which has 64, 96, 114, 132, 256, 384 or 512");
    }
    return new Measurements(
        blocks,
        copy(bytes, nonceAt, NONCE_BYTES),
        copy(bytes, opaqueAt, opaqueBytes),
        end < size ? Optional.of(copy(bytes, end, size - end)) : Optional.empty());
  }

  private static int unsigned(MemorySegment bytes, long at) {
    return bytes.get(ValueLayout.JAVA_BYTE, at) & BYTE;
  }

  private static void require(long size, long at, long end, String what) {
    if (end > size) {
      throw new MalformedMeasurementsException(
          at, "the message ends at byte %d".formatted(size), what + " is here");
    }
  }

  private static MemorySegment copy(MemorySegment bytes, long at, long length) {
    return MemorySegment.ofArray(new byte[(int) length]).copyFrom(bytes.asSlice(at, length));
  }

  /**
   * The blocks.
   *
   * @param record the message up to where they end
   */
  private static List<Measurement> blocks(MemorySegment record, int count) {
    List<Measurement> blocks = new ArrayList<>(count);
    Set<Integer> indices = new TreeSet<>();
    long at = HEAD_BYTES;
    for (int i = 0; i < count; i++) {
      Measurement block = block(record, at);
      if (!indices.add(block.index())) {
        throw new MalformedMeasurementsException(
            at, "index %d once more".formatted(block.index()), "each index is there once");
      }
      blocks.add(block);
      at += BLOCK_HEAD_BYTES + block.value().byteSize();
    }
    if (at < record.byteSize()) {
      throw new MalformedMeasurementsException(
          at,
          "%d bytes after the last of %d blocks".formatted(record.byteSize() - at, count),
          "the blocks end with the length of all");
    }
    return blocks;
  }

  private static Measurement block(MemorySegment record, long at) {
    long left = record.byteSize() - at;
    if (left < BLOCK_HEAD_BYTES) {
      throw new MalformedMeasurementsException(
          at, "%d bytes for a block".formatted(left), "a block has 7 at least");
    }
    int index = unsigned(record, at);
    if (index == 0 || index == ALL) {
      throw new MalformedMeasurementsException(
          at, "index " + index, "measurements have the indices 1 to 254");
    }
    if (unsigned(record, at + SPECIFICATION_AT) != DMTF) {
      throw new MalformedMeasurementsException(
          at + SPECIFICATION_AT,
          "specification 0x%02x".formatted(unsigned(record, at + SPECIFICATION_AT)),
          "only DMTF's, 0x01, is known");
    }
    long valueBytes = Short.toUnsignedLong(record.get(SHORT, at + VALUE_SIZE_AT));
    if (valueBytes > left - BLOCK_HEAD_BYTES) {
      throw new MalformedMeasurementsException(
          at + VALUE_SIZE_AT,
          "a value of %d bytes".formatted(valueBytes),
          "%d bytes of blocks follow".formatted(left - BLOCK_HEAD_BYTES));
    }
    long size = Short.toUnsignedLong(record.get(SHORT, at + SIZE_AT));
    if (size != BLOCK_HEAD_BYTES - UNCOUNTED_BYTES + valueBytes) {
      throw new MalformedMeasurementsException(
          at + SIZE_AT,
          "a block of %d bytes".formatted(size),
          "its value has %d, and 3 come before it".formatted(valueBytes));
    }
    int bits = unsigned(record, at + TYPE_AT);
    MeasurementType type =
        MeasurementType.of(bits & ~NO_DIGEST)
            .orElseThrow(() ->
                new MalformedMeasurementsException(
                    at + TYPE_AT, "type 0x%02x".formatted(bits), "the types are 0 to 7"));
    return new Measurement(
        index, type, (bits & NO_DIGEST) == 0, copy(record, at + BLOCK_HEAD_BYTES, valueBytes));
  }
}
