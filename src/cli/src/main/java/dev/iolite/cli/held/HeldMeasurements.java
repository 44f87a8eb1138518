package dev.iolite.cli.held;

import dev.iolite.cli.EvidenceView;
import dev.iolite.cli.Verdict;
import dev.iolite.tdi.TdiAssignment;
import dev.iolite.tdi.evidence.Evidence;
import dev.iolite.tdi.evidence.Measurements;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.Optional;

/** The measurements that the device of a held assignment makes of itself. */
public final class HeldMeasurements {
  private static final HexFormat HEX = HexFormat.of();

  private HeldMeasurements() {}

  /**
   * Parses a nonce, as a user types it.
   *
   * @throws IllegalArgumentException if it is not a nonce
   */
  public static byte[] nonce(String hex) {
    String said = "a nonce is %d hexadecimal digits".formatted(2 * Measurements.NONCE_BYTES);
    byte[] nonce;
    try {
      nonce = HEX.parseHex(hex);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(said + ", not " + hex, e);
    }
    if (nonce.length != Measurements.NONCE_BYTES) {
      throw new IllegalArgumentException("%s, not %d".formatted(said, hex.length()));
    }
    return nonce;
  }

  /**
   * Makes the device measure itself, and reports the outcome.
   *
   * @throws dev.iolite.tdi.evidence.UntrustedEvidenceException if any device is trusted and the
   *     signature is not such a device's
   */
  static void show(HeldReply reply, TdiAssignment assignment, byte[] nonce) {
    byte[] message = assignment.measurements(nonce);
    Evidence evidence = Evidence.parse(MemorySegment.ofArray(message));
    Verdict verdict = Verdict.of(assignment.trust(), evidence, Optional.of(nonce));
    reply.say("nonce", HEX.formatHex(nonce));
    reply.say("message", HEX.formatHex(message));
    reply.say("measurements", evidence.measurements());
    reply.say("verified", verdict.verified());
    reply.say("verdict", verdict.words());
    if (!reply.output().isJson()) {
      EvidenceView.show(
          reply.output(), "nonce asked with", HEX.formatHex(nonce), evidence, verdict);
    }
    verdict.require();
  }
}
