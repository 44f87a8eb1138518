package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The samples of a text in Prometheus' exposition format, in the part of its grammar that iolite
 * uses: gauges without times, each with its help and its type in front.
 */
final class Metrics {
  private static final String NAME = "[a-z][a-z0-9]*(?:_[a-z0-9]+)*";
  private static final String LABEL = NAME + "=\"(?:[^\"\\\\\\n]|\\\\[\\\\\"n])*\"";
  private static final Pattern HELP = Pattern.compile("# HELP (" + NAME + ") [A-Z][^\\\\]*\\.");
  private static final Pattern SAMPLE =
      Pattern.compile(
          "(" + NAME + ")(?:\\{" + LABEL + "(?:," + LABEL + ")*\\})? (\\d+(?:\\.\\d+)?)");

  private Metrics() {}

  /** The values by the metrics' names with their labels; fails if the text breaks a rule. */
  static Map<String, String> of(String text) {
    assertThat(text).endsWith("\n").doesNotContain("\r", "\n\n");
    Map<String, String> values = new LinkedHashMap<>();
    Set<String> names = new HashSet<>();
    String current = "";
    String previous = "";
    for (String line : text.lines().toList()) {
      Matcher help = HELP.matcher(line);
      Matcher sample = SAMPLE.matcher(line);
      if (help.matches()) {
        assertThat(previous).as("samples before %s", line).doesNotStartWith("#");
        current = help.group(1);
        assertThat(names.add(current)).as("a second %s", line).isTrue();
      } else if (previous.startsWith("# HELP")) {
        assertThat(line).isEqualTo("# TYPE " + current + " gauge");
      } else {
        assertThat(line).matches(SAMPLE);
        assertThat(sample.matches() ? sample.group(1) : line).isEqualTo(current);
        String series = line.substring(0, line.lastIndexOf(' '));
        assertThat(values.put(series, sample.group(2))).as("a second %s", series).isNull();
      }
      previous = line;
    }
    assertThat(previous).doesNotStartWith("#");
    return values;
  }
}
