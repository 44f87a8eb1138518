package dev.iolite.cli;

import dev.iolite.tdi.TdiAssignment;
import dev.iolite.tdi.evidence.Measurement;
import dev.iolite.tdi.evidence.Measurements;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.List;

/** What the device of a held assignment measures of itself. */
final class HeldMeasurements {
  private static final HexFormat HEX = HexFormat.of();

  private HeldMeasurements() {}

  /**
   * A nonce, as somebody types it.
   *
   * @throws IllegalArgumentException if it is none
   */
  static byte[] nonce(String hex) {
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

  /** Has it measure, and says what came of it. */
  static void show(HeldReply reply, TdiAssignment assignment, byte[] nonce) {
    byte[] message = assignment.measurements(nonce);
    Measurements measured = Measurements.parse(MemorySegment.ofArray(message));
    reply.say("nonce", HEX.formatHex(nonce));
    reply.say("message", HEX.formatHex(message));
    reply.say("measurements", measured);
    Output output = reply.output();
    if (output.isJson()) {
      return;
    }
    output.properties(
        "nonce asked with", HEX.formatHex(nonce),
        "device's nonce", text(measured.nonce()),
        "device-specific", text(measured.opaque()),
        "signature", measured.signature().map(HeldMeasurements::text).orElse("none"));
    output.line("");
    output.table(
        List.of("INDEX", "OF", "FORM", "VALUE"),
        measured.blocks().stream().map(HeldMeasurements::cells).toList());
  }

  private static List<String> cells(Measurement block) {
    return List.of(
        Integer.toString(block.index()),
        block.type().toString(),
        block.digest() ? "digest" : "raw",
        block.text());
  }

  private static String text(MemorySegment bytes) {
    return bytes.byteSize() == 0 ? "0 bytes" : HEX.formatHex(bytes.toArray(ValueLayout.JAVA_BYTE));
  }
}
