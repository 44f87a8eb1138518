package dev.iolite.cli.drawing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.iolite.cli.drawing.LayoutPicture.Palette;
import dev.iolite.kernel.Page;
import dev.iolite.tdi.layout.BarLayout;
import dev.iolite.tdi.layout.BarSize;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.vfio.ByteRange;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import javax.xml.parsers.DocumentBuilderFactory;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

/** Drawn layouts. */
class PicturesTest {
  private static final long K = 1024;
  private static final MmioLayout EXAMPLE =
      MmioLayout.ofPrivate(
          List.of(new BarSize(0, 64 * K), new BarSize(2, 16L << 30)),
          Map.of(0, List.of(new ByteRange(0, 8 * K), new ByteRange(12 * K, 52 * K))),
          Page.BYTES);

  private static MmioLayout alternating(int runs, long bytes) {
    List<ByteRange> guarded = new ArrayList<>();
    for (long i = 0; i < runs / 2; i++) {
      guarded.add(new ByteRange(8 * K * i, 4 * K));
    }
    return MmioLayout.ofPrivate(List.of(new BarSize(1, bytes)), Map.of(1, guarded), Page.BYTES);
  }

  private static Document svg(MmioLayout layout, String title) throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setNamespaceAware(true);
    return factory
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(LayoutSvg.of(layout, title))));
  }

  @Test
  void thePictureOfTheExample() {
    assertThat(LayoutPicture.of(EXAMPLE, 60, Palette.BLOCKS))
        .map(LayoutPicture.Line::toString)
        .containsExactly(
            "BAR 0  64 KiB: 3 runs, 60 KiB private, 4 KiB shared",
            "  ███████░░░░" + "█".repeat(47),
            "  0x0             8 KiB  █ private",
            "  0x2000          4 KiB  ░ shared",
            "  0x3000         52 KiB  █ private",
            "",
            "BAR 2  16 GiB: all shared",
            "  " + "░".repeat(58),
            "",
            "█ private   ░ shared   (small runs are drawn larger)");
  }

  @Test
  void thePictureInAsciiAndNarrow() {
    assertThat(LayoutPicture.of(EXAMPLE, 40, Palette.ASCII))
        .map(LayoutPicture.Line::toString)
        .containsExactly(
            "BAR 0  64 KiB: 3 runs, 60 KiB private, 4 KiB shared",
            "  #####..###############################",
            "  0x0             8 KiB  # private",
            "  0x2000          4 KiB  . shared",
            "  0x3000         52 KiB  # private",
            "",
            "BAR 2  16 GiB: all shared",
            "  " + ".".repeat(38),
            "",
            "# private   . shared",
            "(small runs are drawn larger)");
  }

  @Test
  void theKindsAreDistinctInEveryPalette() {
    for (Palette palette : Palette.values()) {
      assertThat(palette.characters().chars().distinct().count()).isEqualTo(3);
    }
    assertThat(Palette.ASCII.characters()).isASCII();
    assertThat(LayoutPicture.of(alternating(1000, 8 << 20), 40, Palette.ASCII))
        .map(LayoutPicture.Line::toString)
        .contains(
            "  " + "%".repeat(19) + ".".repeat(19),
            "# private   . shared",
            "% both, more runs than columns")
        .filteredOn(line -> !line.startsWith("BAR"))
        .allMatch(line -> line.length() <= 40);
  }

  @Test
  void runsOfAHugeBarFit() {
    MmioLayout layout =
        MmioLayout.ofPrivate(
            List.of(new BarSize(2, 1L << 50)),
            Map.of(2, List.of(new ByteRange((1L << 50) - 16 * K, 8 * K))),
            Page.BYTES);
    assertThat(LayoutPicture.of(layout, 40, Palette.ASCII))
        .map(LayoutPicture.Line::toString)
        .contains("  0x3ffffffffc000       8 KiB  # private")
        .filteredOn(line -> !line.startsWith("BAR"))
        .allMatch(line -> line.length() <= 40);
  }

  @Test
  void aTinyRunIsVisible() {
    MmioLayout layout =
        MmioLayout.ofPrivate(
            List.of(new BarSize(2, 1L << 40)),
            Map.of(2, List.of(new ByteRange(4 * K, (1L << 40) - 8 * K))),
            Page.BYTES);
    assertThat(LayoutPicture.of(layout, 80, Palette.BLOCKS).get(1))
        .hasToString("  ░" + "█".repeat(76) + "░");
  }

  @Test
  void manyRunsAreSummarised() {
    List<String> lines =
        LayoutPicture.of(alternating(1000, 8 << 20), 80, Palette.BLOCKS).stream()
            .map(LayoutPicture.Line::toString)
            .toList();
    assertThat(lines.get(0))
        .isEqualTo("BAR 1  8 MiB: 1000 runs, 2000 KiB private, 6192 KiB shared");
    assertThat(lines.get(1)).isEqualTo("  " + "▒".repeat(39) + "░".repeat(39));
    assertThat(lines).hasSize(14);
    assertThat(lines.get(8)).isEqualTo("  ...       991 more runs");
    assertThat(lines.getLast()).contains("▒ both, more runs than columns");
  }

  @Test
  void whatIsOfAKindSaysSo() {
    List<LayoutPicture.Part> bar = LayoutPicture.of(EXAMPLE, 60, Palette.BLOCKS).get(1).parts();
    assertThat(bar)
        .extracting(LayoutPicture.Part::kind)
        .containsExactly(
            Optional.empty(),
            Optional.of(Kind.PRIVATE),
            Optional.of(Kind.SHARED),
            Optional.of(Kind.PRIVATE));
  }

  @Test
  void aPictureNeedsRoom() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LayoutPicture.of(EXAMPLE, 39, Palette.BLOCKS))
        .withMessageContaining("40");
  }

  /** The bands fill their width and the BAR, in order, and each has a cell at least. */
  @Property(tries = 1000)
  void bandsFillTheWidth(@ForAll long seed, @ForAll @IntRange(min = 38, max = 300) int cells) {
    Random random = new Random(seed);
    int pages = 1 + random.nextInt(1000);
    List<ByteRange> guarded = new ArrayList<>();
    for (int i = 0; i < pages; i++) {
      if (random.nextInt(1 + (int) (seed & 7)) == 0) {
        guarded.add(new ByteRange(4 * K * i, 4 * K));
      }
    }
    BarLayout bar =
        MmioLayout.ofPrivate(List.of(new BarSize(0, 4 * K * pages)), Map.of(0, guarded), Page.BYTES)
            .bars()
            .getFirst();
    List<Band> bands = Bands.of(bar, cells);
    long offset = 0;
    int width = 0;
    for (Band band : bands) {
      assertThat(band.offset()).isEqualTo(offset);
      assertThat(band.cells()).isPositive();
      band.kind()
          .ifPresent(kind -> {
            assertThat(bar.kindAt(band.offset())).isEqualTo(kind);
            assertThat(bar.kindAt(band.offset() + band.bytes() - 1)).isEqualTo(kind);
          });
      offset += band.bytes();
      width += band.cells();
    }
    assertThat(offset).isEqualTo(bar.bytes());
    assertThat(width).isEqualTo(cells);
    assertThat(bar.runCount() > cells || bands.size() == bar.runCount()).isTrue();
  }

  @Test
  void theSvgSaysInWordsWhatItShows() throws Exception {
    Element root = svg(EXAMPLE, "A <device> & its \"BARs\"\u0007").getDocumentElement();
    assertThat(root.getLocalName()).isEqualTo("svg");
    assertThat(root.getNamespaceURI()).isEqualTo("http://www.w3.org/2000/svg");
    assertThat(root.getAttribute("role")).isEqualTo("img");
    assertThat(root.getAttribute("aria-labelledby")).isEqualTo("title description");
    NodeList titles = root.getElementsByTagName("title");
    assertThat(titles.item(0).getTextContent()).isEqualTo("A <device> & its \"BARs\"?");
    assertThat(root.getElementsByTagName("desc").item(0).getTextContent())
        .isEqualTo(
            "BAR 0 (64 KiB): 3 runs, 60 KiB private, 4 KiB shared; BAR 2 (16 GiB): all shared");
    assertThat(titles.item(2).getTextContent()).isEqualTo("0x2000-0x2fff, 4 KiB, shared");
    assertThat(titles.getLength()).isEqualTo(1 + 4);
    assertThat(root.getTextContent())
        .contains("BAR 0", "64 KiB, 3 runs", "0x3000", "private: the guest's alone");
  }

  @Test
  void theSvgOfVeryManyRunsIsSmall() {
    String text = LayoutSvg.of(alternating(100_000, 1L << 30), "many");
    assertThat(text).hasSizeLessThan(4000).contains("too many to draw each");
  }
}
