package dev.iolite.cli.drawing;

import dev.iolite.kernel.ByteSize;
import dev.iolite.tdi.layout.BarLayout;
import dev.iolite.tdi.layout.BarSize;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.MmioLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Layouts as SVG: a row for each BAR, with its runs to scale, except that each is wide enough to be
 * seen. The kinds differ in brightness and pattern as well as in colour; the description says what
 * the picture shows, and each run has a tooltip.
 */
public final class LayoutSvg {
  private static final int WIDTH = 1080;
  private static final int MARGIN = 40;
  private static final int CELL = 4;
  private static final int CELLS = (WIDTH - 2 * MARGIN) / CELL;
  private static final int TITLE_Y = 44;
  private static final int LEGEND_Y = 62;
  private static final int FIRST_ROW_Y = 100;
  private static final int ROW_HEIGHT = 104;
  private static final int BAR_HEIGHT = 36;
  private static final int SWATCH = 16;

  /** The maximum width of a character in text of 12 pixels. */
  private static final double CHARACTER = 7.4;

  private final StringBuilder svg = new StringBuilder();

  private LayoutSvg() {}

  /**
   * Draws a layout.
   *
   * @param title the heading, such as the device's name
   * @return the text of an SVG file
   */
  public static String of(MmioLayout layout, String title) {
    LayoutSvg drawing = new LayoutSvg();
    drawing.head(layout, title);
    int y = FIRST_ROW_Y;
    for (BarLayout bar : layout.bars()) {
      drawing.row(bar, y);
      y += ROW_HEIGHT;
    }
    return drawing.svg.append("</svg>\n").toString();
  }

  private void add(String line) {
    svg.append(line).append('\n');
  }

  private void head(MmioLayout layout, String title) {
    int height = FIRST_ROW_Y + ROW_HEIGHT * layout.bars().size();
    List<String> bars = new ArrayList<>();
    for (BarLayout bar : layout.bars()) {
      bars.add("%s: %s".formatted(new BarSize(bar.bar(), bar.bytes()), Bands.summary(bar)));
    }
    add("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    add(
        ("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\""
                + " viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"title description\""
                + " font-family=\"sans-serif\" font-size=\"12\" fill=\"#1b1f24\">")
            .formatted(WIDTH, height, WIDTH, height));
    add("<title id=\"title\">%s</title>".formatted(Xml.escaped(title)));
    add("<desc id=\"description\">%s</desc>".formatted(Xml.escaped(String.join("; ", bars))));
    add(
        """
        <defs>
        <pattern id="shared" width="8" height="8" patternUnits="userSpaceOnUse">
        <rect width="8" height="8" fill="#dbe9f6"/>
        <circle cx="4" cy="4" r="1" fill="#7a9cc0"/>
        </pattern>
        <pattern id="both" width="8" height="8" patternUnits="userSpaceOnUse">
        <rect width="8" height="8" fill="#dbe9f6"/>
        <path d="M-2 2 L2 -2 M0 8 L8 0 M6 10 L10 6" stroke="#17456b" stroke-width="3"/>
        </pattern>
        </defs>\
        """);
    add("<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>".formatted(WIDTH, height));
    add(
        "<text x=\"%d\" y=\"%d\" font-size=\"20\" font-weight=\"bold\">%s</text>"
            .formatted(MARGIN, TITLE_Y, Xml.escaped(title)));
    int x = swatch(MARGIN, Optional.of(Kind.PRIVATE), "private: the guest's alone");
    x = swatch(x, Optional.of(Kind.SHARED), "shared with the host");
    if (layout.bars().stream().anyMatch(bar -> bar.runCount() > CELLS)) {
      swatch(x, Optional.empty(), "runs of both kinds, too many to draw each");
    }
  }

  private int swatch(int x, Optional<Kind> kind, String text) {
    add(
        "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\" stroke=\"#17456b\"/>"
            .formatted(x, LEGEND_Y, SWATCH, SWATCH, fill(kind)));
    add("<text x=\"%d\" y=\"%d\">%s</text>".formatted(x + SWATCH + 6, LEGEND_Y + 12, text));
    return x + SWATCH + 30 + (int) (text.length() * CHARACTER);
  }

  private void row(BarLayout bar, int y) {
    add("<g>");
    add(
        ("<text x=\"%d\" y=\"%d\"><tspan font-weight=\"bold\">BAR %d</tspan>"
                + " <tspan dx=\"6\">%s, %s</tspan></text>")
            .formatted(MARGIN, y + 14, bar.bar(), ByteSize.text(bar.bytes()), Bands.summary(bar)));
    int x = MARGIN;
    double free = 0;
    for (Band band : Bands.of(bar, CELLS)) {
      int width = band.cells() * CELL;
      draw(band, x, y + 24, width);
      String offset = "0x" + Long.toHexString(band.offset());
      if (x >= free && x + offset.length() * CHARACTER <= WIDTH - MARGIN) {
        add(
            "<path d=\"M%d %d v5\" stroke=\"#1b1f24\"/><text x=\"%d\" y=\"%d\">%s</text>"
                .formatted(x, y + 24 + BAR_HEIGHT, x, y + 24 + BAR_HEIGHT + 18, offset));
        free = x + (offset.length() + 1) * CHARACTER;
      }
      x += width;
    }
    String end = "0x" + Long.toHexString(bar.bytes());
    if (WIDTH - MARGIN - end.length() * CHARACTER >= free) {
      add(
          "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>"
              .formatted(WIDTH - MARGIN, y + 24 + BAR_HEIGHT + 18, end));
    }
    add(
        "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#17456b\"/>"
            .formatted(MARGIN, y + 24, CELLS * CELL, BAR_HEIGHT));
    add("</g>");
  }

  private void draw(Band band, int x, int y, int width) {
    String size = ByteSize.text(band.bytes());
    add(
        ("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\">"
                + "<title>0x%x-0x%x, %s, %s</title></rect>")
            .formatted(
                x,
                y,
                width,
                BAR_HEIGHT,
                fill(band.kind()),
                band.offset(),
                band.offset() + band.bytes() - 1,
                size,
                band.kind().map(Kind::toString).orElse("private and shared")));
    if (band.kind().isPresent() && (size.length() + 1) * CHARACTER <= width) {
      add(
          "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" fill=\"%s\">%s</text>"
              .formatted(
                  x + width / 2,
                  y + BAR_HEIGHT / 2 + 4,
                  band.kind().get() == Kind.PRIVATE ? "#ffffff" : "#1b1f24",
                  size));
    }
  }

  private static String fill(Optional<Kind> kind) {
    return kind.map(known -> known == Kind.PRIVATE ? "#17456b" : "url(#shared)")
        .orElse("url(#both)");
  }
}
