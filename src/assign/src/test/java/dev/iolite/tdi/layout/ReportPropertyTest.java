package dev.iolite.tdi.layout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Page;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/**
 * Whatever a right report has in what is reserved, of ranges in no BAR, of an offset and of a
 * device's own: of the BARs it says what they were made to be.
 */
class ReportPropertyTest {
  private static final int[] BARS = {0, 2, 4};
  private static final int FIRST_OWN_ID = 6;
  private static final int LARGEST_PAGES_SHIFT = 20;
  private static final int RESERVED_INFO_SHIFT = 5;

  /** A page of a BAR, by the table of the specification: reported and not IS_NON_TEE_MEM. */
  private static Kind[] fill(ReportBytes report, Random random, int bar, int pages, long shift) {
    Kind[] kinds = new Kind[pages];
    Arrays.fill(kinds, Kind.SHARED);
    int page = 0;
    while (page < pages) {
      int run = 1 + random.nextInt(Math.min(pages - page, 8));
      // What stands first is told, so that both schemes have the same.
      if (page == 0 || random.nextInt(4) != 0) {
        int known = random.nextInt(16);
        int reserved = random.nextBoolean() ? 0 : random.nextInt(1 << 12) << 4;
        report.range(bar, page + shift, run, known | reserved);
        Kind kind = (known & 4) != 0 ? Kind.SHARED : Kind.PRIVATE;
        Arrays.fill(kinds, page, page + run, kind);
      }
      page += run;
    }
    return kinds;
  }

  @Property(tries = 2000)
  void aReportSaysWhatTheBarsAre(@ForAll long seed) {
    Random random = new Random(seed);
    RangeScheme scheme = random.nextBoolean() ? RangeScheme.ALIGNED : RangeScheme.RELATIVE;
    ReportBytes report = new ReportBytes((random.nextInt(1 << 11) << RESERVED_INFO_SHIFT) | 3);
    // The offset as pages, of which an aligned one is a multiple of every BAR.
    long unit = scheme == RangeScheme.ALIGNED ? 1L << LARGEST_PAGES_SHIFT : 1;
    long shift = random.nextLong(1L << 50) / unit * unit;
    List<BarSize> sizes = new ArrayList<>();
    List<Kind[]> wanted = new ArrayList<>();
    for (int bar : BARS) {
      int pages = 1 << random.nextInt(6);
      sizes.add(new BarSize(bar, pages * Page.BYTES));
      wanted.add(fill(report, random, bar, pages, shift));
    }
    if (random.nextBoolean()) {
      report.range(FIRST_OWN_ID + random.nextInt(100), random.nextInt(1000), 1, 0);
    }
    if (random.nextBoolean()) {
      report.deviceSpecific(new byte[random.nextInt(20)]);
      report.raw(new int[random.nextInt(3)]);
    }
    MmioLayout layout = MmioLayout.of(report.parse(), sizes, Page.BYTES, scheme);
    for (int i = 0; i < BARS.length; i++) {
      for (int page = 0; page < wanted.get(i).length; page++) {
        assertThat(layout.bars().get(i).kindAt(page * Page.BYTES))
            .as("%s, BAR %d, page %d", scheme, BARS[i], page)
            .isEqualTo(wanted.get(i)[page]);
      }
    }
  }
}
