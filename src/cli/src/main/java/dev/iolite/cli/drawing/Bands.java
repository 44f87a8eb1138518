package dev.iolite.cli.drawing;

import dev.iolite.kernel.ByteSize;
import dev.iolite.kernel.Page;
import dev.iolite.tdi.layout.BarLayout;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.Run;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Cuts BARs into bands that can be drawn. */
public final class Bands {
  private Bands() {}

  /**
   * The bands of a BAR, which fill a width. Each run is a band of at least one cell; if there are
   * more runs than cells, each cell stands for a part of the BAR, and all parts except one have the
   * same number of pages.
   */
  public static List<Band> of(BarLayout bar, int cells) {
    return bar.runCount() <= cells ? runs(bar, cells) : parts(bar, cells);
  }

  private static List<Band> runs(BarLayout bar, int cells) {
    int[] widths = new int[bar.runCount()];
    int left = cells;
    for (int i = 0; i < widths.length; i++) {
      double share = bar.run(i).bytes() / (double) bar.bytes();
      widths[i] = Math.max(1, (int) Math.round(share * cells));
      left -= widths[i];
    }
    while (left != 0) {
      int widest = 0;
      for (int i = 1; i < widths.length; i++) {
        widest = widths[i] > widths[widest] ? i : widest;
      }
      int change = left > 0 ? left : -Math.min(-left, Math.max(1, widths[widest] / 2));
      widths[widest] += change;
      left -= change;
    }
    List<Band> bands = new ArrayList<>();
    for (int i = 0; i < widths.length; i++) {
      Run run = bar.run(i);
      bands.add(new Band(run.offset(), run.bytes(), widths[i], Optional.of(run.kind())));
    }
    return bands;
  }

  private static List<Band> parts(BarLayout bar, int cells) {
    long[] starts = new long[cells + 1];
    Arrays.setAll(starts, i -> (bar.bytes() / cells * i) & -Page.BYTES);
    starts[cells] = bar.bytes();
    List<Band> bands = new ArrayList<>();
    for (int i = 0; i < cells; i++) {
      Run run = bar.run(bar.indexAt(starts[i]));
      Optional<Kind> kind = run.end() >= starts[i + 1] ? Optional.of(run.kind()) : Optional.empty();
      long bytes = starts[i + 1] - starts[i];
      if (!bands.isEmpty() && bands.getLast().kind().equals(kind)) {
        Band last = bands.removeLast();
        bands.add(new Band(last.offset(), last.bytes() + bytes, last.cells() + 1, kind));
      } else {
        bands.add(new Band(starts[i], bytes, 1, kind));
      }
    }
    return bands;
  }

  /** A summary of a whole BAR for readers. */
  public static String summary(BarLayout bar) {
    if (bar.runCount() == 1) {
      return "all " + bar.run(0).kind();
    }
    return "%d runs, %s private, %s shared"
        .formatted(
            bar.runCount(),
            ByteSize.text(bar.bytes(Kind.PRIVATE)),
            ByteSize.text(bar.bytes(Kind.SHARED)));
  }
}
