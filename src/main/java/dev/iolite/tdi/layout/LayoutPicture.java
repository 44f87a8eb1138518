package dev.iolite.tdi.layout;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Layouts drawn with characters: of each BAR a bar of its runs, each visible however small, and
 * below it where they start and how long they are. The kinds have characters of their own, so that
 * a picture reads without colours; the parts say which kind they show, for those who colour them.
 */
public final class LayoutPicture {
  /** The narrowest picture, in columns. */
  public static final int LEAST_COLUMNS = 40;

  private static final String MARGIN = "  ";
  private static final int LISTED_RUNS = 12;
  private static final int FIRST_RUNS = 6;
  private static final int LAST_RUNS = 3;

  private LayoutPicture() {}

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
   * @param parts what it is made of, from left to right
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
   * Draws a layout.
   *
   * @param columns how wide, {@link #LEAST_COLUMNS} or more
   */
  public static List<Line> of(MmioLayout layout, int columns) {
    if (columns < LEAST_COLUMNS) {
      throw new IllegalArgumentException(
          "a picture has at least %d columns, not %d".formatted(LEAST_COLUMNS, columns));
    }
    List<Line> lines = new ArrayList<>();
    boolean isMixed = false;
    for (BarLayout bar : layout.bars()) {
      List<Band> bands = Bands.of(bar, columns - MARGIN.length());
      isMixed |= bands.stream().anyMatch(band -> band.kind().isEmpty());
      lines.add(
          Line.of(
              "BAR %d  %s: %s"
                  .formatted(bar.bar(), ByteSize.text(bar.bytes()), Bands.summary(bar))));
      lines.add(drawn(bands));
      addRuns(lines, bar);
      lines.add(Line.of(""));
    }
    lines.add(legend(isMixed));
    return List.copyOf(lines);
  }

  private static Line drawn(List<Band> bands) {
    List<Part> parts = new ArrayList<>();
    parts.add(new Part(MARGIN, Optional.empty()));
    for (Band band : bands) {
      parts.add(new Part(character(band.kind()).repeat(band.cells()), band.kind()));
    }
    return new Line(parts);
  }

  private static String character(Optional<Kind> kind) {
    return kind.map(known -> known == Kind.PRIVATE ? "█" : "░").orElse("▒");
  }

  private static void addRuns(List<Line> lines, BarLayout bar) {
    int count = bar.runCount();
    if (count == 1) {
      return;
    }
    int width = Long.toHexString(bar.bytes()).length() + 2;
    if (count <= LISTED_RUNS) {
      bar.runs().forEach(run -> lines.add(line(run, width)));
      return;
    }
    bar.runs().subList(0, FIRST_RUNS).forEach(run -> lines.add(line(run, width)));
    lines.add(
        Line.of(
            MARGIN
                + "%%-%ds  ".formatted(width).formatted("...")
                + "%d more runs".formatted(count - FIRST_RUNS - LAST_RUNS)));
    bar.runs().subList(count - LAST_RUNS, count).forEach(run -> lines.add(line(run, width)));
  }

  private static Line line(Run run, int width) {
    String offset = "0x" + Long.toHexString(run.offset());
    Optional<Kind> kind = Optional.of(run.kind());
    return new Line(
        List.of(
            new Part(
                MARGIN
                    + offset
                    + " ".repeat(width - offset.length())
                    + "%14s  ".formatted(ByteSize.text(run.bytes())),
                Optional.empty()),
            new Part(character(kind) + " " + run.kind(), kind)));
  }

  private static Line legend(boolean isMixed) {
    List<Part> parts = new ArrayList<>();
    for (Kind kind : List.of(Kind.PRIVATE, Kind.SHARED)) {
      parts.add(new Part(character(Optional.of(kind)) + " " + kind, Optional.of(kind)));
      parts.add(new Part("   ", Optional.empty()));
    }
    parts.add(
        new Part(
            isMixed
                ? character(Optional.empty()) + " both, more runs than columns"
                : "(what is small is drawn larger than it is)",
            Optional.empty()));
    return new Line(parts);
  }
}
