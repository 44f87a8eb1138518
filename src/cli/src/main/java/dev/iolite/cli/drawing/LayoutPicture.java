package dev.iolite.cli.drawing;

import dev.iolite.kernel.ByteSize;
import dev.iolite.tdi.layout.BarLayout;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.layout.Run;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Layouts drawn with characters: for each BAR a row with its runs, each visible however small, and
 * below it where they start and how long they are. Each kind has its own character, so a picture is
 * readable without colours; the parts say which kind they show, for callers that add colours.
 */
public final class LayoutPicture {
  /** The narrowest picture, in columns. */
  public static final int LEAST_COLUMNS = 40;

  private static final String MARGIN = "  ";
  private static final String KEY_GAP = "   ";
  private static final int KIND_COLUMNS = "# private".length();
  private static final int LEAST_SIZE_COLUMNS = "9999 bytes".length();
  private static final int USUAL_SIZE_COLUMNS = 14;
  private static final int LISTED_RUNS = 12;
  private static final int FIRST_RUNS = 6;
  private static final int LAST_RUNS = 3;

  private final List<Line> lines = new ArrayList<>();
  private final int columns;
  private final Palette palette;

  private LayoutPicture(int columns, Palette palette) {
    this.columns = columns;
    this.palette = palette;
  }

  /** The characters with which runs are drawn. */
  public enum Palette {
    /** Block elements of Unicode. */
    BLOCKS("█", "░", "▒"),
    /** ASCII characters, for charsets that lack these. */
    ASCII("#", ".", "%");

    private final String ofPrivate;
    private final String ofShared;
    private final String ofBoth;

    Palette(String ofPrivate, String ofShared, String ofBoth) {
      this.ofPrivate = ofPrivate;
      this.ofShared = ofShared;
      this.ofBoth = ofBoth;
    }

    /** All of its characters, to check whether a charset has them. */
    public String characters() {
      return ofPrivate + ofShared + ofBoth;
    }

    private String character(Optional<Kind> kind) {
      return kind.map(known -> known == Kind.PRIVATE ? ofPrivate : ofShared).orElse(ofBoth);
    }
  }

  /**
   * A part of a line.
   *
   * @param text its characters
   * @param kind what it shows; empty for text, and for runs of both kinds
   */
  public record Part(String text, Optional<Kind> kind) {}

  /**
   * A line.
   *
   * @param parts its parts, from left to right
   */
  public record Line(List<Part> parts) {
    /** Copies the list. */
    public Line {
      parts = List.copyOf(parts);
    }

    /** The line without colours. */
    @Override
    public String toString() {
      return parts.stream().map(Part::text).collect(Collectors.joining());
    }

    private static Line of(String text) {
      return new Line(List.of(new Part(text, Optional.empty())));
    }
  }

  /**
   * Draws a layout. All lines fit the width, except those that describe a BAR in words.
   *
   * @param columns the width, {@link #LEAST_COLUMNS} or more
   */
  public static List<Line> of(MmioLayout layout, int columns, Palette palette) {
    if (columns < LEAST_COLUMNS) {
      throw new IllegalArgumentException(
          "a picture has at least %d columns, not %d".formatted(LEAST_COLUMNS, columns));
    }
    LayoutPicture picture = new LayoutPicture(columns, palette);
    boolean isMixed = false;
    for (BarLayout bar : layout.bars()) {
      List<Band> bands = Bands.of(bar, columns - MARGIN.length());
      isMixed |= bands.stream().anyMatch(band -> band.kind().isEmpty());
      picture.lines.add(
          Line.of(
              "BAR %d  %s: %s"
                  .formatted(bar.bar(), ByteSize.text(bar.bytes()), Bands.summary(bar))));
      picture.addBar(bands);
      picture.addRuns(bar);
      picture.lines.add(Line.of(""));
    }
    picture.addLegend(isMixed);
    return List.copyOf(picture.lines);
  }

  private void addBar(List<Band> bands) {
    List<Part> parts = new ArrayList<>();
    parts.add(new Part(MARGIN, Optional.empty()));
    for (Band band : bands) {
      parts.add(new Part(palette.character(band.kind()).repeat(band.cells()), band.kind()));
    }
    lines.add(new Line(parts));
  }

  private void addRuns(BarLayout bar) {
    int count = bar.runCount();
    if (count == 1) {
      return;
    }
    int width = Long.toHexString(bar.bytes()).length() + 2;
    if (count <= LISTED_RUNS) {
      bar.runs().forEach(run -> addRun(run, width));
      return;
    }
    bar.runs().subList(0, FIRST_RUNS).forEach(run -> addRun(run, width));
    lines.add(
        Line.of(
            MARGIN
                + "%%-%ds  ".formatted(width).formatted("...")
                + "%d more runs".formatted(count - FIRST_RUNS - LAST_RUNS)));
    bar.runs().subList(count - LAST_RUNS, count).forEach(run -> addRun(run, width));
  }

  private void addRun(Run run, int width) {
    String offset = "0x" + Long.toHexString(run.offset());
    Optional<Kind> kind = Optional.of(run.kind());
    int room = columns - MARGIN.length() - width - MARGIN.length() - KIND_COLUMNS;
    int sizeColumns = Math.clamp(room, LEAST_SIZE_COLUMNS, USUAL_SIZE_COLUMNS);
    lines.add(
        new Line(
            List.of(
                new Part(
                    MARGIN
                        + offset
                        + " ".repeat(width - offset.length())
                        + "%%%ds".formatted(sizeColumns).formatted(ByteSize.text(run.bytes()))
                        + MARGIN,
                    Optional.empty()),
                key(kind))));
  }

  private Part key(Optional<Kind> kind) {
    String words = kind.map(Kind::toString).orElse("both, more runs than columns");
    return new Part(palette.character(kind) + " " + words, kind);
  }

  /** Adds the legend; what does not fit on one line goes on its own line. */
  private void addLegend(boolean isMixed) {
    Part gap = new Part(KEY_GAP, Optional.empty());
    Line kinds =
        new Line(List.of(key(Optional.of(Kind.PRIVATE)), gap, key(Optional.of(Kind.SHARED))));
    Part more =
        isMixed
            ? key(Optional.empty())
            : new Part("(small runs are drawn larger)", Optional.empty());
    Line all = new Line(Stream.concat(kinds.parts().stream(), Stream.of(gap, more)).toList());
    if (all.toString().length() <= columns) {
      lines.add(all);
    } else {
      lines.addAll(List.of(kinds, new Line(List.of(more))));
    }
  }
}
