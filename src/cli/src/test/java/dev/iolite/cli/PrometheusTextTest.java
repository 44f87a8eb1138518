package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.cli.PrometheusText.Sample;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The exposition format. */
class PrometheusTextTest {
  private static final String HOSTILE = "\"} 7\nb \\ \u001b[0m \u00e9";

  private final PrometheusText text = new PrometheusText();

  @Test
  void aMetricHasItsHelpItsTypeAndItsSamples() {
    text.gauge("iolite_x", "What it is.", List.of(Sample.of(Map.of(), true)));
    text.gauge(
        "iolite_y_seconds",
        "When.",
        List.of(new Sample(Map.of("a", "b"), BigDecimal.valueOf(1_700_000_000_005L, 3))));

    assertThat(text)
        .hasToString(
            """
            # HELP iolite_x What it is.
            # TYPE iolite_x gauge
            iolite_x 1
            # HELP iolite_y_seconds When.
            # TYPE iolite_y_seconds gauge
            iolite_y_seconds{a="b"} 1700000000.005\
            """);
  }

  @Test
  void aMetricWithoutSamplesIsNotThere() {
    text.gauge("iolite_x", "What it is.", List.of());

    assertThat(text.toString()).isEmpty();
  }

  @Test
  void noLabelEndsItsQuotesOrItsLine() {
    text.gauge("iolite_x", "X.", List.of(new Sample(Map.of("a", HOSTILE), 1)));

    assertThat(Metrics.of(text + "\n"))
        .containsExactly(Map.entry("iolite_x{a=\"\\\"} 7\\\\x0ab \\\\ \\\\x1b[0m \u00e9\"}", "1"));
  }

  @Test
  void prometheusReadsSuchALabel() throws IOException, InterruptedException {
    text.gauge("iolite_x", "X.", List.of(new Sample(Map.of("a", HOSTILE), 1)));

    Promtool.accepts(text + "\n");
  }
}
