package dev.iolite.tdi.layout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Page;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;

/** Nothing that a device could send does harm: it is a report, or it is refused as none. */
class InterfaceReportFuzzTest {
  private static final List<BarSize> SIZES =
      List.of(new BarSize(0, 64 << 10), new BarSize(2, 1L << 40), new BarSize(4, 4096));

  /** Whether it is a report. What else is thrown fails the test. */
  private static boolean isReport(byte[] bytes) {
    InterfaceReport report;
    try {
      report = InterfaceReport.parse(MemorySegment.ofArray(bytes));
    } catch (MalformedReportException e) {
      assertThat(e.at()).isBetween(0L, (long) bytes.length);
      assertThat(e.getMessage()).contains("byte " + e.at() + ": ");
      return false;
    }
    for (RangeScheme scheme : RangeScheme.values()) {
      layOut(report, scheme);
    }
    return true;
  }

  /** A report that does not fit the device is refused in the same way. */
  private static void layOut(InterfaceReport report, RangeScheme scheme) {
    MmioLayout layout;
    try {
      layout = MmioLayout.of(report, SIZES, Page.BYTES, scheme);
    } catch (MalformedReportException _) {
      return;
    }
    for (int i = 0; i < SIZES.size(); i++) {
      assertThat(layout.bars().get(i).bytes()).isEqualTo(SIZES.get(i).bytes());
    }
  }

  @Property(tries = 2000)
  void anyBytes(@ForAll @Size(max = 200) byte[] bytes) {
    isReport(bytes);
  }

  /** Of a good report some bytes are changed, or some are cut off or added. */
  @Property(tries = 5000)
  void almostGoodBytes(@ForAll long seed) {
    Random random = new Random(seed);
    ReportBytes good = new ReportBytes(random.nextInt(32));
    for (int bar : new int[] {0, 2, 4}) {
      long page = 1L + random.nextInt(1 << 20);
      for (int i = random.nextInt(4); i > 0; i--) {
        int pages = 1 + random.nextInt(4);
        good.range(bar, page, pages, random.nextInt(16));
        page += pages + random.nextInt(3);
      }
    }
    if (random.nextBoolean()) {
      good.deviceSpecific(new byte[random.nextInt(20)]);
    }
    byte[] bytes = good.toArray();
    assertThat(isReport(bytes)).isTrue();
    for (int i = random.nextInt(4); i > 0; i--) {
      int at = random.nextInt(bytes.length);
      bytes[at] = (byte) (random.nextBoolean() ? bytes[at] ^ (1 << random.nextInt(8)) : -1);
    }
    int length = random.nextInt(3) == 0 ? random.nextInt(bytes.length + 8) : bytes.length;
    isReport(Arrays.copyOf(bytes, length));
  }
}
