package dev.iolite.cli;

import dev.iolite.tdi.evidence.Evidence;
import dev.iolite.tdi.evidence.Measurement;
import dev.iolite.tdi.evidence.Measurements;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Shows a person a device's measurements of itself. */
public final class EvidenceView {
  private static final HexFormat HEX = HexFormat.of();

  private EvidenceView() {}

  /**
   * Shows the measurements.
   *
   * @param name the name of the first property
   */
  public static void show(
      Output output, String name, String value, Evidence evidence, Verdict verdict) {
    Measurements measured = evidence.measurements();
    List<String> properties = new ArrayList<>(List.of(name, value));
    properties.addAll(
        List.of(
            "messages", "SPDM %s: %s".formatted(version(evidence), evidence.messages()),
            "certificate slot", Integer.toString(measured.slot()),
            "content", measured.change().toString(),
            "device's nonce", text(measured.nonce()),
            "device-specific", text(measured.opaque())));
    measured
        .context()
        .ifPresent(context -> properties.addAll(List.of("requester's context", text(context))));
    properties.addAll(
        List.of(
            "signature", measured.signature().map(EvidenceView::text).orElse("none"),
            "verified", verdict.text()));
    output.properties(properties.toArray(String[]::new));
    output.line("");
    output.table(
        List.of("INDEX", "OF", "FORM", "VALUE"),
        measured.blocks().stream().map(EvidenceView::cells).toList());
  }

  private static String version(Evidence evidence) {
    return evidence
        .newerVersion()
        .map(newer -> "%s (read as %s)".formatted(newer, evidence.measurements().version()))
        .orElse(evidence.measurements().version().toString());
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
