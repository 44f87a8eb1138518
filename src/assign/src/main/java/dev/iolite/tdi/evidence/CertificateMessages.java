package dev.iolite.tdi.evidence;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The messages with which certificates were requested before measurements: GET_DIGESTS and DIGESTS,
 * GET_CERTIFICATE and CERTIFICATE, any number of each. The signature of measurements does not cover
 * them.
 *
 * @param chains the certificates of each slot, in SPDM's form
 * @param bytes how long these messages are
 */
record CertificateMessages(Map<Integer, byte[]> chains, long bytes) {
  private static final int HEAD_BYTES = 4;
  private static final int SLOT_AT = 2;
  private static final int SLOTS_AT = 3;
  private static final int SLOT = 0xf;

  /** From 1.4 on: the lengths follow the usual ones, with 32 bits each. */
  private static final int LARGE = 1 << 7;

  private static final int SHORT_BYTES = 8;
  private static final int LARGE_BYTES = 16;

  /** From 1.3 on, each digest may come with the number, kind and use of its key. */
  private static final int KEY_BYTES = 4;

  static CertificateMessages read(MemorySegment all, long start, Optional<HashAlgorithm> hash) {
    Map<Integer, ByteArrayOutputStream> portions = new HashMap<>();
    long at = start;
    while (true) {
      MessageReader digests = new MessageReader(all, at, MessageCode.GET_DIGESTS);
      MessageReader asked = new MessageReader(all, at, MessageCode.GET_CERTIFICATE);
      if (digests.isNext()) {
        at += digests(all, at, hash);
      } else if (asked.isNext()) {
        at += certificate(all, at, portions);
      } else {
        Map<Integer, byte[]> chains = new HashMap<>();
        portions.forEach((slot, chain) -> chains.put(slot, chain.toByteArray()));
        return new CertificateMessages(chains, at - start);
      }
    }
  }

  /** Returns how long GET_DIGESTS and its answer are. */
  private static long digests(MemorySegment all, long start, Optional<HashAlgorithm> hash) {
    MessageReader asked = new MessageReader(all, start, MessageCode.GET_DIGESTS);
    SpdmVersion version = asked.version(HEAD_BYTES);
    MessageReader answer = new MessageReader(all, start + HEAD_BYTES, MessageCode.DIGESTS);
    answer.require(version, HEAD_BYTES);
    int count = Integer.bitCount(answer.u8(SLOTS_AT));
    int digestBytes =
        hash.orElseThrow(() ->
                answer.wrong(
                    SLOTS_AT,
                    "%d digests of a length that is not known".formatted(count),
                    "ALGORITHMS says which, and is not before it"))
            .bytes();
    long end = HEAD_BYTES + (long) count * digestBytes;
    answer.require(HEAD_BYTES, end, "a digest for each slot");
    boolean hasKeys =
        version.isAtLeast(SpdmVersion.V1_3)
            && !goesOn(all, start + HEAD_BYTES + end)
            && goesOn(all, start + HEAD_BYTES + end + (long) count * KEY_BYTES);
    return HEAD_BYTES + end + (hasKeys ? (long) count * KEY_BYTES : 0);
  }

  private static boolean goesOn(MemorySegment all, long at) {
    return at <= all.byteSize()
        && (new MessageReader(all, at, MessageCode.GET_CERTIFICATE).isNext()
            || new MessageReader(all, at, MessageCode.GET_MEASUREMENTS).isNext()
            || new MessageReader(all, at, MessageCode.MEASUREMENTS).isNext());
  }

  /** Returns how long GET_CERTIFICATE and its answer are, and adds the portion. */
  private static long certificate(
      MemorySegment all, long start, Map<Integer, ByteArrayOutputStream> portions) {
    MessageReader asked = new MessageReader(all, start, MessageCode.GET_CERTIFICATE);
    SpdmVersion version = asked.version(SHORT_BYTES);
    boolean isLarge = version.isAtLeast(SpdmVersion.V1_4) && (asked.u8(SLOT_AT) & LARGE) != 0;
    int head = isLarge ? LARGE_BYTES : SHORT_BYTES;
    asked.require(0, head, "its head");
    long offset = isLarge ? Integer.toUnsignedLong(asked.u32(SHORT_BYTES)) : asked.u16(HEAD_BYTES);
    MessageReader answer = new MessageReader(all, start + head, MessageCode.CERTIFICATE);
    answer.require(version, head);
    int slot = answer.u8(SLOT_AT) & SLOT;
    long bytes = isLarge ? Integer.toUnsignedLong(answer.u32(SHORT_BYTES)) : answer.u16(HEAD_BYTES);
    answer.require(head, head + bytes, "a portion of certificates");
    ByteArrayOutputStream chain = portions.computeIfAbsent(slot, _ -> new ByteArrayOutputStream());
    if (offset != chain.size()) {
      throw asked.wrong(
          isLarge ? SHORT_BYTES : HEAD_BYTES,
          "offset " + offset,
          "%d bytes of the chain in slot %d are there".formatted(chain.size(), slot));
    }
    chain.writeBytes(answer.copy(head, bytes).toArray(ValueLayout.JAVA_BYTE));
    return 2L * head + bytes;
  }
}
