package dev.iolite.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.steps.HostStep;
import dev.iolite.steps.Step;
import dev.iolite.tdi.State;
import dev.iolite.tdi.guest.Check;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.ledger.LedgerRow;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;

/** What every report must be: well-formed, self-contained, and legible for everybody. */
class AccessibleReportTest {
  private static final String HOSTILE = "<img src=x onerror=\"a\">&'\u202e\u0000\ud800";

  /** WCAG 2.2 for text (1.4.3) and for what drawings consist of (1.4.11), level AA. */
  private static final double TEXT = 4.5;

  private static final double GRAPHICS = 3;

  static String page() {
    AssignmentRecord record = new AssignmentRecord();
    record.opening(HOSTILE);
    record.step(
        new Step(
            HOSTILE, HostStep.OPEN_KVM, false, HOSTILE, false, HOSTILE, List.of(), Duration.ZERO));
    record.state(
        State.SHARED,
        List.of(
            new LedgerRow(
                Optional.of(HOSTILE),
                0,
                4096,
                Optional.of(Kind.PRIVATE),
                OptionalInt.empty(),
                Optional.empty(),
                Optional.of(HOSTILE),
                false,
                Optional.empty())));
    record.check(new Check(HOSTILE, true, HOSTILE));
    record.check(new Check("untrue", false, HOSTILE));
    record.remark(HOSTILE);
    return AssignmentPage.of(
        HOSTILE,
        record,
        new Outcome(1, List.of(HOSTILE)),
        new HostFacts(HOSTILE, true, List.of(new Fact(HOSTILE, HOSTILE))));
  }

  @Test
  void noTextBecomesMarkup() throws IOException {
    HtmlPage page = HtmlPage.of(page());
    assertThat(page.elements("img")).isEmpty();
    assertThat(page.text("h1")).containsExactly("<img src=x onerror=\"a\">&'\\u202e\\x00?");
    assertThat(page()).doesNotContain("\u202e").doesNotContain("<img").doesNotContain("onerror=\"");
  }

  @Test
  void whatIsNotSoIsNotProved() throws IOException {
    HtmlPage page = HtmlPage.of(page());
    assertThat(page.ofClass("statements")).singleElement().asString().doesNotContain("untrue");
    assertThat(page.ofClass("missing")).singleElement().asString().contains("untrue");
    assertThat(page.ofClass("verdict bad")).hasSize(1);
    assertThat(page.ofClass("verdict good")).isEmpty();
  }

  @Test
  void nothingIsLoadedAndNothingRuns() throws IOException {
    HtmlPage page = HtmlPage.of(page());
    assertThat(page.elements("*"))
        .noneMatch(e -> e.hasAttribute("src") || e.hasAttribute("href") || e.hasAttribute("style"));
    assertThat(page.elements("script")).isEmpty();
    assertThat(page.text("style").getFirst()).doesNotContain("url(", "@import");
    assertThat(page.elements("meta"))
        .anyMatch(meta -> meta.getAttribute("content").startsWith("default-src 'none';"));
  }

  @Test
  void aScreenReaderFindsItsWay() throws IOException {
    HtmlPage page = HtmlPage.of(page());
    assertThat(page.elements("html").getFirst().getAttribute("lang")).isEqualTo("en");
    assertThat(page.text("title")).isNotEmpty().first().asString().contains("img");
    int level = 0;
    for (Element element : page.elements("*")) {
      if (element.getTagName().matches("h[1-6]")) {
        int next = element.getTagName().charAt(1) - '0';
        assertThat(next).isBetween(1, level + 1);
        level = next;
      }
    }
    assertThat(page.elements("svg"))
        .isNotEmpty()
        .allMatch(svg ->
            svg.getAttribute("aria-hidden").equals("true")
                || (svg.getAttribute("role").equals("img")
                    && !svg.getAttribute("aria-label").isEmpty()));
    assertThat(page.elements("details"))
        .allMatch(details -> details.getFirstChild().getNodeName().equals("summary"));
    assertThat(page.elements("th")).allMatch(cell -> cell.getAttribute("scope").equals("col"));
  }

  @Test
  void coloursContrastWithWhatIsBehindThemInBothSchemes() throws IOException {
    String style = HtmlPage.of(page()).text("style").getFirst();
    List<Map<String, String>> schemes = schemes(style);
    assertThat(schemes).hasSize(2);
    for (Map<String, String> scheme : schemes) {
      for (String text : List.of("ink", "muted", "good", "bad", "warn", "accent")) {
        for (String behind : List.of("paper", "card")) {
          assertThat(contrast(scheme, text, behind))
              .as("%s on %s in %s", text, behind, scheme)
              .isGreaterThanOrEqualTo(TEXT);
        }
      }
      for (List<String> pair :
          List.of(
              List.of("edge", "paper"),
              List.of("private", "shared"),
              List.of("private", "paper"),
              List.of("accent", "card"))) {
        assertThat(contrast(scheme, pair.getFirst(), pair.getLast()))
            .as("%s in %s", pair, scheme)
            .isGreaterThanOrEqualTo(GRAPHICS);
      }
    }
    String rest = style.replaceAll("--[a-z]+: #[0-9a-f]{6};", "");
    assertThat(rest).as("each colour is one of these").doesNotContainPattern("#[0-9a-f]{3}");
  }

  private static List<Map<String, String>> schemes(String style) {
    List<Map<String, String>> schemes = new ArrayList<>();
    Matcher root = Pattern.compile(":root \\{([^}]*)\\}").matcher(style);
    while (root.find()) {
      Map<String, String> colours = new HashMap<>();
      Matcher colour = Pattern.compile("--([a-z]+): (#[0-9a-f]{6})").matcher(root.group(1));
      while (colour.find()) {
        colours.put(colour.group(1), colour.group(2));
      }
      schemes.add(colours);
    }
    return schemes;
  }

  private static double contrast(Map<String, String> scheme, String one, String other) {
    double a = luminance(scheme.getOrDefault(one, "no such colour"));
    double b = luminance(scheme.getOrDefault(other, "no such colour"));
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }

  /** Relative luminance, as WCAG 2.2 defines it. */
  private static double luminance(String colour) {
    double[] weights = {0.2126, 0.7152, 0.0722};
    double sum = 0;
    for (int i = 0; i < weights.length; i++) {
      double part = Integer.parseInt(colour.substring(1 + 2 * i, 3 + 2 * i), 16) / 255.0;
      sum += weights[i] * (part <= 0.04045 ? part / 12.92 : Math.pow((part + 0.055) / 1.055, 2.4));
    }
    return sum;
  }
}
