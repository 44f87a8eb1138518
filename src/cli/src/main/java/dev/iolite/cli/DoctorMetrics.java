package dev.iolite.cli;

import dev.iolite.cli.PrometheusText.Sample;
import dev.iolite.doctor.Finding;
import dev.iolite.doctor.FunctionCount;
import dev.iolite.tdi.journal.JournalStatus;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToIntFunction;

/** What {@code iolite doctor} found, as metrics for Prometheus. docs/fleet.md describes them. */
final class DoctorMetrics {
  private static final String HELD = "held";
  private static final String LEFT = "left";

  /** The digits of a second that a journal's time has. */
  private static final int MILLIS = 3;

  private DoctorMetrics() {}

  static String of(
      List<Finding> findings, List<FunctionCount> functions, List<JournalStatus> journals) {
    PrometheusText text = new PrometheusText();
    text.gauge(
        "iolite_build_info",
        "Always 1; the label has the version of iolite.",
        List.of(new Sample(Map.of("version", Version.number()), 1)));
    text.gauge(
        "iolite_doctor_ready",
        "Whether nothing is missing that an assignment needs.",
        List.of(Sample.of(Map.of(), Finding.isReady(findings))));
    text.gauge(
        "iolite_doctor_check_status",
        "Whether this is the status of a check.",
        findings.stream().flatMap(finding -> statuses(finding).stream()).toList());
    text.gauge(
        "iolite_doctor_finding",
        "Always 1; there is one for each code that was found.",
        findings.stream()
            .flatMap(finding ->
                finding.code().stream()
                    .map(code ->
                        new Sample(labels("check", finding.check(), "code", code.toString()), 1)))
            .toList());
    text.gauge(
        "iolite_assignable_functions",
        "PCI functions of a class that VFIO has and nobody uses.",
        counts(functions, FunctionCount::assignable));
    text.gauge(
        "iolite_assigned_functions",
        "PCI functions of a class that are in use through VFIO.",
        counts(functions, FunctionCount::assigned));
    text.gauge(
        "iolite_journals",
        "Journals of assignments: held by a process that lives, or left by one that was killed.",
        List.of(
            new Sample(Map.of("state", HELD), journals.stream().filter(j -> j.isHeld()).count()),
            new Sample(Map.of("state", LEFT), journals.stream().filter(j -> !j.isHeld()).count())));
    text.gauge(
        "iolite_journal_written_timestamp_seconds",
        "When the last record of a journal was written, as Unix time.",
        journals.stream().map(DoctorMetrics::written).toList());
    return text.toString();
  }

  private static List<Sample> statuses(Finding finding) {
    List<Sample> samples = new ArrayList<>();
    for (Finding.Status status : Finding.Status.values()) {
      String name = status.name().toLowerCase(Locale.ROOT);
      samples.add(
          Sample.of(labels("check", finding.check(), "status", name), status == finding.status()));
    }
    return samples;
  }

  private static List<Sample> counts(
      List<FunctionCount> functions, ToIntFunction<FunctionCount> count) {
    return functions.stream()
        .map(one -> new Sample(Map.of("class", one.className()), count.applyAsInt(one)))
        .toList();
  }

  private static Sample written(JournalStatus journal) {
    return new Sample(
        labels("device", journal.device().toString(), "state", journal.isHeld() ? HELD : LEFT),
        BigDecimal.valueOf(journal.written().toEpochMilli(), MILLIS));
  }

  private static Map<String, String> labels(
      String name, String value, String other, String otherValue) {
    Map<String, String> labels = new LinkedHashMap<>();
    labels.put(name, value);
    labels.put(other, otherValue);
    return labels;
  }
}
