package dev.iolite.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A text in Prometheus' exposition format, version 0.0.4, as node_exporter's textfile collector
 * reads it. Labels may come from anywhere: what a terminal would obey is printed in the form of
 * {@link Printable}.
 */
final class PrometheusText {
  private final List<String> lines = new ArrayList<>();

  /**
   * A value of a metric.
   *
   * @param labels their names and values, in the order of the output
   */
  record Sample(Map<String, String> labels, Number value) {
    /** The value of something that is true or false. */
    static Sample of(Map<String, String> labels, boolean value) {
      return new Sample(labels, value ? 1 : 0);
    }

    private String line(String name) {
      String inBraces =
          labels.entrySet().stream()
              .map(label -> label.getKey() + "=\"" + escaped(label.getValue()) + '"')
              .collect(Collectors.joining(","));
      return name + (inBraces.isEmpty() ? "" : "{" + inBraces + "}") + " " + value;
    }

    private static String escaped(String value) {
      return Printable.line(value).replace("\\", "\\\\").replace("\"", "\\\"");
    }
  }

  /**
   * Adds a metric whose value goes up and down; without samples, there is no such metric.
   *
   * @param help a sentence without backslashes
   */
  void gauge(String name, String help, List<Sample> samples) {
    if (!samples.isEmpty()) {
      lines.add("# HELP " + name + " " + help);
      lines.add("# TYPE " + name + " gauge");
      samples.forEach(sample -> lines.add(sample.line(name)));
    }
  }

  /** The lines, without the end of the last one. */
  @Override
  public String toString() {
    return String.join("\n", lines);
  }
}
