package dev.iolite.cli.report;

import static dev.iolite.cli.report.Markup.element;
import static dev.iolite.cli.report.Markup.ofClass;

import dev.iolite.cli.Remedies;
import dev.iolite.doctor.Finding;
import dev.iolite.doctor.Finding.Status;
import java.util.ArrayList;
import java.util.List;

/** The report of {@code iolite doctor}. */
public final class DoctorPage {
  private DoctorPage() {}

  /** Makes the report; of no findings if the examination failed. */
  public static String of(List<Finding> findings, Outcome outcome, HostFacts host) {
    Page page = new Page("Readiness for device assignment", host.name());
    page.verdict(outcome, verdict(findings, outcome));
    page.facts(
        List.of(
            new Fact("Checks", Integer.toString(findings.size())),
            new Fact("Exit code", Integer.toString(outcome.code()))));
    List<Object> lacks = new ArrayList<>();
    of(findings, Status.MISSING).forEach(finding -> lacks.add(inShort(finding)));
    of(findings, Status.OPTIONAL).forEach(finding -> lacks.add(inShort(finding)));
    host.model().ifPresent(lacks::add);
    page.sections(
        Page.section(
            "What works",
            Page.list("works", of(findings, Status.OK).stream().map(DoctorPage::inShort).toList())),
        Page.section(
            "What is missing",
            lacks.isEmpty() ? element("p", "Nothing.") : Page.list("missing", lacks)));
    page.section(
        Page.section(
            "What to do",
            findings.stream().filter(f -> f.code().isPresent()).map(DoctorPage::remedy).toList()));
    page.section(Page.section("Host", Page.properties(host.all())));
    return page.toString();
  }

  private static String verdict(List<Finding> findings, Outcome outcome) {
    if (!outcome.problems().isEmpty()) {
      return "It failed.";
    }
    return Finding.isReady(findings)
        ? "This host has everything that an assignment needs."
        : "This host lacks what an assignment needs.";
  }

  private static List<Finding> of(List<Finding> findings, Status status) {
    return findings.stream().filter(finding -> finding.status() == status).toList();
  }

  private static Markup inShort(Finding finding) {
    String classes =
        switch (finding.status()) {
          case OK -> "good";
          case OPTIONAL -> "warn";
          case MISSING -> "bad";
        };
    String word =
        switch (finding.status()) {
          case OK -> "";
          case OPTIONAL -> " (optional)";
          case MISSING -> " (needed)";
        };
    return element(
        "span",
        element("span", ofClass("title " + classes), finding.check() + word),
        ": " + finding.observed());
  }

  private static Markup remedy(Finding finding) {
    return element(
        "div",
        element("h3", finding.check() + finding.code().map(code -> " (" + code + ")").orElse("")),
        element("p", finding.why()),
        element("p", element("strong", "Do: "), Remedies.next(finding.advice())));
  }
}
