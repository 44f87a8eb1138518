package dev.iolite.tdi.evidence;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * What requester and device agreed on before measurements were requested: the messages from
 * GET_VERSION to ALGORITHMS (SPDM calls them VCA).
 *
 * @param version the version that they agreed on
 * @param signing the algorithm of signatures; empty if it is not one of SPDM's own
 * @param hash the algorithm of digests; empty if it is not one of SPDM's own
 * @param bytes how long these messages are
 */
public record Negotiation(
    SpdmVersion version,
    Optional<SigningAlgorithm> signing,
    Optional<HashAlgorithm> hash,
    long bytes) {
  private static final int SPDM_1_0 = 0x10;
  private static final int HEAD_BYTES = 4;

  /** In VERSION, where the number of entries is; they follow, with 2 bytes each. */
  private static final int COUNT_AT = 5;

  private static final int CAPABILITIES_BYTES = 20;
  private static final int CAPABILITIES_BYTES_1_1 = 12;

  /** From 1.3 on, the first parameter of CAPABILITIES says whether algorithms follow. */
  private static final int PARAMETER_AT = 2;

  /** Where the length is, both of the algorithms that follow and of ALGORITHMS. */
  private static final int BLOCK_LENGTH_AT = 2;

  private static final int LENGTH_AT = 4;
  private static final int SIGNING_AT = 12;
  private static final int HASH_AT = 16;
  private static final int POST_QUANTUM_AT = 20;
  private static final int ALGORITHMS_BYTES = 36;
  private static final int NEGOTIATE_BYTES = 32;

  static Negotiation read(MemorySegment all) {
    long at = 0;
    at += version1(new MessageReader(all, at, MessageCode.GET_VERSION));
    MessageReader versions = new MessageReader(all, at, MessageCode.VERSION);
    version1(versions);
    versions.require(HEAD_BYTES, COUNT_AT + 1, "a number of versions");
    long end = COUNT_AT + 1 + (long) Short.BYTES * versions.u8(COUNT_AT);
    versions.require(COUNT_AT + 1, end, "a list of versions");
    at += end;
    MessageReader asked = new MessageReader(all, at, MessageCode.GET_CAPABILITIES);
    SpdmVersion version = asked.version(HEAD_BYTES);
    long bytes = version.isAtLeast(SpdmVersion.V1_2) ? CAPABILITIES_BYTES : CAPABILITIES_BYTES_1_1;
    asked.require(HEAD_BYTES, bytes, "the rest of its head");
    at += bytes;
    at += capabilities(new MessageReader(all, at, MessageCode.CAPABILITIES), version, bytes);
    MessageReader offered = new MessageReader(all, at, MessageCode.NEGOTIATE_ALGORITHMS);
    at += withLength(offered, version, NEGOTIATE_BYTES);
    MessageReader chosen = new MessageReader(all, at, MessageCode.ALGORITHMS);
    at += withLength(chosen, version, ALGORITHMS_BYTES);
    return new Negotiation(
        version,
        version.isAtLeast(SpdmVersion.V1_4) && chosen.u32(POST_QUANTUM_AT) != 0
            ? SigningAlgorithm.chosenPostQuantum(chosen.u32(POST_QUANTUM_AT))
            : SigningAlgorithm.chosen(chosen.u32(SIGNING_AT)),
        HashAlgorithm.chosen(chosen.u32(HASH_AT)),
        at);
  }

  /** These two messages are of SPDM 1.0, whatever is agreed on. */
  private static long version1(MessageReader in) {
    in.requireCode(HEAD_BYTES);
    if (in.u8(0) != SPDM_1_0) {
      throw in.wrong(0, "version 0x%02x".formatted(in.u8(0)), "this message is always of SPDM 1.0");
    }
    return HEAD_BYTES;
  }

  private static long capabilities(MessageReader in, SpdmVersion version, long bytes) {
    in.require(version, bytes);
    if (!version.isAtLeast(SpdmVersion.V1_3) || (in.u8(PARAMETER_AT) & 1) == 0) {
      return bytes;
    }
    long lengthEnd = bytes + BLOCK_LENGTH_AT + Short.BYTES;
    in.require(bytes, lengthEnd, "a block of algorithms");
    long end = bytes + in.u16(bytes + BLOCK_LENGTH_AT);
    if (end < lengthEnd || end > in.size()) {
      throw in.wrong(
          bytes + BLOCK_LENGTH_AT,
          "a block of algorithms of %d bytes".formatted(end - bytes),
          "it has 4 at least, and %d follow".formatted(in.size() - bytes));
    }
    return end;
  }

  private static long withLength(MessageReader in, SpdmVersion version, int least) {
    in.require(version, least);
    int length = in.u16(LENGTH_AT);
    if (length < least || length > in.size()) {
      throw in.wrong(
          LENGTH_AT,
          "a length of %d".formatted(length),
          "it is %d at least, and %d bytes are there".formatted(least, in.size()));
    }
    return length;
  }
}
