package dev.iolite.tdi.layout;

import static dev.iolite.tdi.layout.ReportBytes.MSIX_PBA;
import static dev.iolite.tdi.layout.ReportBytes.MSIX_TABLE;
import static dev.iolite.tdi.layout.ReportBytes.NON_TEE;
import static dev.iolite.tdi.layout.ReportBytes.UPDATABLE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.iolite.kernel.Page;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.vfio.ByteRange;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What of a BAR is private and what is shared. */
class MmioLayoutTest {
  private static final long PAGE = Page.BYTES;
  private static final long LARGE_PAGE = 64 << 10;
  private static final List<BarSize> SIZES = List.of(new BarSize(0, 16 * PAGE));

  private static Run shared(long page, long pages) {
    return new Run(page * PAGE, pages * PAGE, Kind.SHARED);
  }

  private static Run guarded(long page, long pages) {
    return new Run(page * PAGE, pages * PAGE, Kind.PRIVATE);
  }

  private static List<Run> runs(ReportBytes report) {
    return runs(report, RangeScheme.RELATIVE);
  }

  private static List<Run> runs(ReportBytes report, RangeScheme scheme) {
    return MmioLayout.of(report.parse(), SIZES, PAGE, scheme).bars().getFirst().runs();
  }

  @Test
  void whatIsReportedIsPrivateAndWhatIsNotIsShared() {
    assertThat(runs(new ReportBytes(0).range(0, 100, 2, 0).range(0, 104, 4, UPDATABLE)))
        .containsExactly(guarded(0, 2), shared(2, 2), guarded(4, 4), shared(8, 8));
  }

  @Test
  void nonTeeRangesAreSharedAndReportedStructuresOfMsiXArePrivate() {
    assertThat(
            runs(
                new ReportBytes(0)
                    .range(0, 0, 1, MSIX_TABLE)
                    .range(0, 1, 1, 0)
                    .range(0, 2, 1, MSIX_PBA | NON_TEE)
                    .range(0, 3, 1, 0)
                    .range(0, 4, 1, NON_TEE | UPDATABLE)
                    .range(0, 5, 11, 0)))
        .containsExactly(guarded(0, 2), shared(2, 1), guarded(3, 1), shared(4, 1), guarded(5, 11));
  }

  @Test
  void neighboursOfOneKindAreOneRun() {
    assertThat(
            runs(
                new ReportBytes(0)
                    .range(0, 0, 2, 0)
                    .range(0, 2, 2, UPDATABLE)
                    .range(0, 4, 2, 0)
                    .range(0, 6, 1, NON_TEE)))
        .containsExactly(guarded(0, 6), shared(6, 10));
  }

  @Test
  void aBarThatIsNotReportedIsShared() {
    assertThat(runs(new ReportBytes(0))).containsExactly(shared(0, 16));
  }

  @Test
  void aBarThatIsReportedAsAWholeIsOneRun() {
    assertThat(runs(new ReportBytes(0).range(0, 7, 16, 0))).containsExactly(guarded(0, 16));
  }

  /** The sample of a device whose report does not begin with its BAR's first page. */
  @Test
  void theSchemeSaysWhereARangeIs() {
    ReportBytes report = new ReportBytes(0).range(0, 0x7_0004, 12, 0);
    assertThat(runs(report, RangeScheme.ALIGNED)).containsExactly(shared(0, 4), guarded(4, 12));
    assertThat(runs(report, RangeScheme.RELATIVE)).containsExactly(guarded(0, 12), shared(12, 4));
  }

  @Test
  void rangesThatReachBeyondAnAlignedBarAreOfAnotherScheme() {
    InterfaceReport report = new ReportBytes(0).range(0, 12, 4, 0).range(0, 16, 4, NON_TEE).parse();
    assertThatExceptionOfType(MalformedReportException.class)
        .isThrownBy(() -> MmioLayout.of(report, SIZES, PAGE, RangeScheme.ALIGNED))
        .withMessageContainingAll(
            "byte 32", "page 0x10, with BAR 0 from page 0x0 (aligned ranges)");
    assertThat(MmioLayout.of(report, SIZES, PAGE, RangeScheme.RELATIVE).hasPrivate()).isTrue();
  }

  @Test
  void aRangeInNoBarIsLeftOut() {
    assertThat(runs(new ReportBytes(0).range(0, 0, 16, 0).range(8, 0, 1 << 20, 0)))
        .containsExactly(guarded(0, 16));
  }

  @Test
  void aBarThatIsSmallerThanAPageHasNoRange() {
    InterfaceReport report = new ReportBytes(0).range(0, 0, 1, 0).parse();
    for (RangeScheme scheme : RangeScheme.values()) {
      assertThatExceptionOfType(MalformedReportException.class)
          .isThrownBy(() -> MmioLayout.of(report, List.of(new BarSize(0, 256)), PAGE, scheme))
          .withMessageContainingAll("byte 16", "0x0 pages");
    }
  }

  @Test
  void aRangeBeyondItsBarIsRefused() {
    InterfaceReport report = new ReportBytes(0).range(0, 8, 16, 0).range(0, 24, 1, NON_TEE).parse();
    assertThatExceptionOfType(MalformedReportException.class)
        .isThrownBy(() -> MmioLayout.of(report, SIZES, PAGE, RangeScheme.RELATIVE))
        .withMessageContainingAll("byte 32", "BAR 0 (64 KiB) has 0x10 pages");
  }

  @Test
  void aRangeOfABarThatTheDeviceDoesNotHaveIsRefused() {
    InterfaceReport report = new ReportBytes(0).range(1, 0, 1, 0).parse();
    assertThatExceptionOfType(MalformedReportException.class)
        .isThrownBy(() -> MmioLayout.of(report, SIZES, PAGE, RangeScheme.RELATIVE))
        .withMessageContainingAll("byte 16", "BAR 1", "memory BARs are BAR 0 (64 KiB)");
  }

  @Test
  void aPageThatWouldHoldBothKindsIsRefused() {
    InterfaceReport report = new ReportBytes(0).range(0, 0, 2, 0).range(0, 2, 14, NON_TEE).parse();
    assertThatExceptionOfType(PreconditionException.class)
        .isThrownBy(() -> MmioLayout.of(report, SIZES, LARGE_PAGE, RangeScheme.RELATIVE))
        .withMessageContainingAll(
            "BAR 0", "pages of 64 KiB", "offset 0x0", "private up to 0x2000", "shared from there");
  }

  @Test
  void aReportThatSuitsLargePagesIsTakenWithThem() {
    InterfaceReport report =
        new ReportBytes(0).range(2, 16, 16, 0).range(2, 32, 16, NON_TEE).parse();
    List<BarSize> sizes = List.of(new BarSize(2, 4 * LARGE_PAGE));
    assertThat(
            MmioLayout.of(report, sizes, LARGE_PAGE, RangeScheme.RELATIVE).bars().getFirst().runs())
        .containsExactly(guarded(0, 16), shared(16, 48));
  }

  @Test
  void barsComeInOrderAndAreFound() {
    MmioLayout layout =
        MmioLayout.allShared(List.of(new BarSize(4, 4096), new BarSize(0, 8192)), PAGE);
    assertThat(layout.bars().stream().map(BarLayout::bar)).containsExactly(0, 4);
    assertThat(layout.bar(4).orElseThrow().bytes()).isEqualTo(4096);
    assertThat(layout.bar(1)).isEmpty();
    assertThat(layout.hasPrivate()).isFalse();
    assertThat(layout.runCount()).isEqualTo(2);
  }

  @Test
  void theKindOfAnOffsetIsThatOfItsRun() {
    BarLayout bar =
        MmioLayout.ofPrivate(SIZES, Map.of(0, List.of(new ByteRange(PAGE, 2 * PAGE))), PAGE)
            .bars()
            .getFirst();
    assertThat(bar.kindAt(0)).isEqualTo(Kind.SHARED);
    assertThat(bar.kindAt(PAGE - 1)).isEqualTo(Kind.SHARED);
    assertThat(bar.kindAt(PAGE)).isEqualTo(Kind.PRIVATE);
    assertThat(bar.kindAt(3 * PAGE - 1)).isEqualTo(Kind.PRIVATE);
    assertThat(bar.kindAt(3 * PAGE)).isEqualTo(Kind.SHARED);
    assertThat(bar.kindAt(16 * PAGE - 1)).isEqualTo(Kind.SHARED);
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> bar.kindAt(16 * PAGE));
    assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> bar.kindAt(-1));
    assertThat(bar.bytes(Kind.PRIVATE)).isEqualTo(2 * PAGE);
    assertThat(bar.bytes(Kind.SHARED)).isEqualTo(14 * PAGE);
  }

  @Test
  void theKernelsRangesAreChecked() {
    for (ByteRange wrong :
        List.of(
            new ByteRange(0, 0),
            new ByteRange(16 * PAGE, PAGE),
            new ByteRange(15 * PAGE, 2 * PAGE),
            new ByteRange(-PAGE, PAGE),
            new ByteRange(PAGE, -PAGE),
            new ByteRange(PAGE, Long.MAX_VALUE))) {
      assertThatExceptionOfType(MalformedLayoutException.class)
          .isThrownBy(() -> MmioLayout.ofPrivate(SIZES, Map.of(0, List.of(wrong)), PAGE))
          .withMessageContainingAll("BAR 0", wrong.toString());
    }
    List<ByteRange> disordered = List.of(new ByteRange(4 * PAGE, PAGE), new ByteRange(0, PAGE));
    assertThatExceptionOfType(MalformedLayoutException.class)
        .isThrownBy(() -> MmioLayout.ofPrivate(SIZES, Map.of(0, disordered), PAGE));
    assertThatExceptionOfType(MalformedLayoutException.class)
        .isThrownBy(() -> MmioLayout.ofPrivate(SIZES, Map.of(1, List.of()), PAGE))
        .withMessageContaining("BAR 1");
  }

  @Test
  void aPageSizeIsAPowerOfTwo() {
    for (long wrong : new long[] {0, 1, 2048, 4097, 12288, -4096}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> MmioLayout.allShared(SIZES, wrong))
          .withMessageContaining("" + wrong);
    }
  }
}
