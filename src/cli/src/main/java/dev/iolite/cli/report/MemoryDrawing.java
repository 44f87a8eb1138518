package dev.iolite.cli.report;

import static dev.iolite.cli.report.Markup.attribute;
import static dev.iolite.cli.report.Markup.element;
import static dev.iolite.cli.report.Markup.ofClass;

import dev.iolite.cli.drawing.Band;
import dev.iolite.cli.drawing.Bands;
import dev.iolite.kernel.ByteSize;
import dev.iolite.kernel.Page;
import dev.iolite.tdi.layout.BarLayout;
import dev.iolite.tdi.layout.BarSize;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.ledger.LedgerRow;
import dev.iolite.vfio.ByteRange;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The guest's memory and the BARs: a strip for each region, with its private and shared runs. */
final class MemoryDrawing {
  /** The narrowest run is the width of the strip, divided by this. */
  private static final int CELLS = 100;

  private MemoryDrawing() {}

  static Markup of(List<LedgerRow> rows) {
    Map<String, List<LedgerRow>> regions = new LinkedHashMap<>();
    for (LedgerRow row : rows) {
      row.region()
          .ifPresent(name -> regions.computeIfAbsent(name, _ -> new ArrayList<>()).add(row));
    }
    List<Markup> figures = new ArrayList<>();
    regions.forEach((name, of) -> figures.add(region(name, of)));
    return element("div", figures);
  }

  /** What the fills stand for. */
  static Markup legend() {
    return element(
        "p",
        ofClass("keys note"),
        key("private", "private: the guest's alone"),
        key("shared", "shared with the host"),
        key("both", "both, too small to draw"));
  }

  private static Markup key(String kind, String words) {
    return element(
        "span", svg("key", attribute("aria-hidden", "true"), List.of(rect(kind, 0, CELLS))), words);
  }

  private static Markup region(String name, List<LedgerRow> rows) {
    BarLayout layout = layout(rows);
    String words =
        "%s, %s at 0x%x: %s"
            .formatted(
                name, ByteSize.text(layout.bytes()), rows.getFirst().gpa(), Bands.summary(layout));
    List<Markup> drawn = new ArrayList<>();
    int cell = 0;
    for (Band band : Bands.of(layout, CELLS)) {
      drawn.add(band(band, cell));
      cell += band.cells();
    }
    return element(
        "figure",
        element("figcaption", words),
        svg("strip", attribute("aria-label", words), drawn));
  }

  private static Markup svg(String classes, Markup.Attribute named, List<Markup> content) {
    return element(
        "svg",
        attribute("xmlns", "http://www.w3.org/2000/svg"),
        ofClass(classes),
        attribute("role", "img"),
        named,
        content);
  }

  private static Markup band(Band band, int cell) {
    return rect(
        band.kind().map(kind -> kind.name().toLowerCase(Locale.ROOT)).orElse("both"),
        cell,
        band.cells(),
        element(
            "title",
            "0x%x-0x%x, %s, %s"
                .formatted(
                    band.offset(),
                    band.offset() + band.bytes() - 1,
                    ByteSize.text(band.bytes()),
                    band.kind().map(Kind::toString).orElse("private and shared"))));
  }

  private static Markup rect(String kind, int cell, int cells, Object... content) {
    return element(
        "rect",
        ofClass(kind),
        attribute("x", cell * 100 / CELLS + "%"),
        attribute("width", cells * 100 / CELLS + "%"),
        attribute("height", "100%"),
        List.of(content));
  }

  /** The kinds of a region's pages, as those of a BAR. */
  private static BarLayout layout(List<LedgerRow> rows) {
    List<ByteRange> ofGuest = new ArrayList<>();
    long bytes = 0;
    for (LedgerRow row : rows) {
      if (row.kind().equals(Optional.of(Kind.PRIVATE))) {
        ofGuest.add(new ByteRange(bytes, row.bytes()));
      }
      bytes += row.bytes();
    }
    return MmioLayout.ofPrivate(List.of(new BarSize(0, bytes)), Map.of(0, ofGuest), Page.BYTES)
        .bars()
        .getFirst();
  }
}
