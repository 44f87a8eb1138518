package dev.iolite.tdi.evidence;

import java.lang.foreign.MemorySegment;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * A device's answer to a request for measurements: SPDM's MEASUREMENTS message. All of it is little
 * endian:
 *
 * <pre>
 *  0  1     version
 *  1  1     code, 0x60
 *  2  1     the number of measurements, if that was asked for
 *  3  1     bits 0 to 3: the slot of the certificates; 4 and 5, from 1.2 on: {@link ContentChange}
 *  4  1     N, the number of blocks
 *  5  3     R, their length
 *  8  R     blocks: 1 index, 1 specification (1: DMTF), 2 length of the rest, which is 1 type (bit 7:
 *           the value is no digest), 2 length of the value, the value
 *     32    the device's nonce
 *     2     L, how many bytes of the device's own follow
 *     L     those bytes
 *     8     from 1.3 on, what the request had there
 *     S     the signature, if it was asked for
 * </pre>
 *
 * @param slot the slot of the device's certificates, 0 to 15
 * @param change whether the measurements changed while they were read
 * @param blocks what was measured, in the device's order; no index occurs twice
 * @param nonce the device's own nonce, 32 bytes
 * @param opaque device-specific bytes
 * @param context what was given with the request; empty before SPDM 1.3
 * @param signature the signature; empty if there is none
 */
public record Measurements(
    SpdmVersion version,
    int slot,
    ContentChange change,
    List<Measurement> blocks,
    MemorySegment nonce,
    MemorySegment opaque,
    Optional<MemorySegment> context,
    Optional<MemorySegment> signature) {
  /** The length of a nonce, in bytes: that of a request, and that of an answer. */
  public static final int NONCE_BYTES = 32;

  private static final long PARAMETER_AT = 3;
  private static final long COUNT_AT = 4;
  private static final long RECORD_BYTES_AT = 5;
  private static final long HEAD_BYTES = 8;
  private static final long SPECIFICATION_AT = 1;
  private static final long SIZE_AT = 2;
  private static final long TYPE_AT = 4;
  private static final long VALUE_SIZE_AT = 5;

  /**
   * The length of a block before its value, part of which the block's own length does not count.
   */
  private static final long BLOCK_HEAD_BYTES = 7;

  private static final long UNCOUNTED_BYTES = 4;

  /** Requests all measurements, in place of an index. */
  private static final int ALL = MeasurementsRequest.ALL;

  private static final int DMTF = 1;
  private static final int NO_DIGEST = 1 << 7;
  private static final int MOST_OPAQUE_BYTES = 1024;

  /** Makes it immutable. */
  public Measurements {
    blocks = List.copyOf(blocks);
    nonce = nonce.asReadOnly();
    opaque = opaque.asReadOnly();
    context = context.map(MemorySegment::asReadOnly);
    signature = signature.map(MemorySegment::asReadOnly);
  }

  /** An unpredictable nonce. */
  public static byte[] freshNonce() {
    byte[] nonce = new byte[NONCE_BYTES];
    new SecureRandom().nextBytes(nonce);
    return nonce;
  }

  /** A message that was read, and its length, after which the next one starts. */
  record Read(Measurements message, long bytes) {}

  /**
   * Reads an answer.
   *
   * @param request the request that it answers, if that is known
   */
  static Read read(MessageReader in, Optional<MeasurementsRequest> request) {
    in.require(0, HEAD_BYTES, "its head");
    SpdmVersion version = in.version(HEAD_BYTES);
    request.ifPresent(asked -> in.require(asked.version(), HEAD_BYTES));
    int slot = in.u8(PARAMETER_AT) & MeasurementsRequest.SLOT;
    if (request.isPresent() && request.get().signed() && request.get().slot() != slot) {
      throw in.wrong(
          PARAMETER_AT,
          "slot " + slot,
          "the signature was asked for from slot " + request.get().slot());
    }
    long nonceAt = HEAD_BYTES + (in.u32(COUNT_AT) >>> Byte.SIZE);
    if (nonceAt > in.size()) {
      throw in.wrong(
          RECORD_BYTES_AT,
          "%d bytes of blocks".formatted(nonceAt - HEAD_BYTES),
          "the message has %d bytes after its head".formatted(in.size() - HEAD_BYTES));
    }
    List<Measurement> blocks = new Blocks(in, version, nonceAt).read(in.u8(COUNT_AT));
    request.ifPresent(asked -> requireAskedFor(in, asked.operation(), blocks));
    long opaqueAt = nonceAt + NONCE_BYTES + Short.BYTES;
    in.require(nonceAt, opaqueAt, "a nonce and a length");
    long opaqueBytes = in.u16(opaqueAt - Short.BYTES);
    long contextAt = opaqueAt + opaqueBytes;
    if (opaqueBytes > MOST_OPAQUE_BYTES || contextAt > in.size()) {
      throw in.wrong(
          opaqueAt - Short.BYTES,
          "%d bytes of the device's own".formatted(opaqueBytes),
          "there are %d at most, and %d follow".formatted(MOST_OPAQUE_BYTES, in.size() - opaqueAt));
    }
    Optional<MemorySegment> context = context(in, version, contextAt);
    if (request.isPresent() && !same(request.get().context(), context)) {
      throw in.wrong(
          contextAt, "another context than the request's", "the answer repeats the request's");
    }
    long signatureAt = contextAt + context.map(MemorySegment::byteSize).orElse(0L);
    Optional<MemorySegment> signature = signature(in, version, request, signatureAt);
    return new Read(
        new Measurements(
            version,
            slot,
            ContentChange.of(version, in.u8(PARAMETER_AT)),
            blocks,
            in.copy(nonceAt, NONCE_BYTES),
            in.copy(opaqueAt, opaqueBytes),
            context,
            signature),
        signatureAt + signature.map(MemorySegment::byteSize).orElse(0L));
  }

  /** An answer with a number and no blocks says nothing about the device. */
  private static void requireAskedFor(MessageReader in, int operation, List<Measurement> blocks) {
    boolean isAnswer =
        switch (operation) {
          case MeasurementsRequest.COUNT -> blocks.isEmpty();
          case ALL -> !blocks.isEmpty();
          default -> blocks.size() == 1 && blocks.getFirst().index() == operation;
        };
    if (!isAnswer) {
      throw in.wrong(
          COUNT_AT,
          "%d blocks".formatted(blocks.size()),
          switch (operation) {
            case MeasurementsRequest.COUNT -> "only their number was asked for";
            case ALL -> "all measurements were asked for";
            default -> "the one with index %d was asked for".formatted(operation);
          });
    }
  }

  private static Optional<MemorySegment> context(MessageReader in, SpdmVersion version, long at) {
    if (!version.isAtLeast(SpdmVersion.V1_3)) {
      return Optional.empty();
    }
    in.require(at, at + MeasurementsRequest.CONTEXT_BYTES, "the request's context");
    return Optional.of(in.copy(at, MeasurementsRequest.CONTEXT_BYTES));
  }

  private static boolean same(Optional<MemorySegment> one, Optional<MemorySegment> other) {
    return one.isPresent() == other.isPresent()
        && (one.isEmpty() || one.get().mismatch(other.get()) == -1);
  }

  /** The signature, which comes last of all, since nothing continues a signed transcript. */
  private static Optional<MemorySegment> signature(
      MessageReader in, SpdmVersion version, Optional<MeasurementsRequest> request, long at) {
    long left = in.size() - at;
    boolean isThere = request.map(MeasurementsRequest::signed).orElse(left > 0);
    if (!isThere) {
      return Optional.empty();
    }
    if (!SigningAlgorithm.canSign(version, left)) {
      throw in.wrong(
          at,
          "%d bytes at the end".formatted(left),
          request.isPresent()
              ? "the signature that was asked for is here, and nothing after it; it has 64, 96,"
                  + " 114, 132, 256, 384 or 512"
              : "there are none, or a signature, which has 64, 96, 114, 132, 256, 384 or 512");
    }
    return Optional.of(in.copy(at, left));
  }

  /**
   * Reads the blocks of a message.
   *
   * @param end where they end
   */
  private record Blocks(MessageReader in, SpdmVersion version, long end) {
    List<Measurement> read(int count) {
      List<Measurement> blocks = new ArrayList<>(count);
      Set<Integer> indices = new TreeSet<>();
      long at = HEAD_BYTES;
      for (int i = 0; i < count; i++) {
        Measurement block = block(at);
        if (!indices.add(block.index())) {
          throw in.wrong(
              at, "index %d once more".formatted(block.index()), "each index is there once");
        }
        blocks.add(block);
        at += BLOCK_HEAD_BYTES + block.value().byteSize();
      }
      if (at < end) {
        throw in.wrong(
            at,
            "%d bytes after the last of %d blocks".formatted(end - at, count),
            "the blocks end with the length of all");
      }
      return blocks;
    }

    private Measurement block(long at) {
      long left = end - at;
      if (left < BLOCK_HEAD_BYTES) {
        throw in.wrong(at, "%d bytes for a block".formatted(left), "a block has 7 at least");
      }
      int index = in.u8(at);
      if (index == 0 || index == ALL) {
        throw in.wrong(at, "index " + index, "measurements have the indices 1 to 254");
      }
      if (in.u8(at + SPECIFICATION_AT) != DMTF) {
        throw in.wrong(
            at + SPECIFICATION_AT,
            "specification 0x%02x".formatted(in.u8(at + SPECIFICATION_AT)),
            "only DMTF's, 0x01, is known");
      }
      long valueBytes = in.u16(at + VALUE_SIZE_AT);
      if (valueBytes > left - BLOCK_HEAD_BYTES) {
        throw in.wrong(
            at + VALUE_SIZE_AT,
            "a value of %d bytes".formatted(valueBytes),
            "%d bytes of blocks follow".formatted(left - BLOCK_HEAD_BYTES));
      }
      long size = in.u16(at + SIZE_AT);
      if (size != BLOCK_HEAD_BYTES - UNCOUNTED_BYTES + valueBytes) {
        throw in.wrong(
            at + SIZE_AT,
            "a block of %d bytes".formatted(size),
            "its value has %d, and 3 come before it".formatted(valueBytes));
      }
      int bits = in.u8(at + TYPE_AT);
      MeasurementType type =
          MeasurementType.of(version, bits & ~NO_DIGEST)
              .orElseThrow(() ->
                  in.wrong(
                      at + TYPE_AT,
                      "type 0x%02x".formatted(bits),
                      "SPDM %s has the types 0 to %d"
                          .formatted(version, MeasurementType.last(version))));
      return new Measurement(
          index, type, (bits & NO_DIGEST) == 0, in.copy(at + BLOCK_HEAD_BYTES, valueBytes));
    }
  }
}
