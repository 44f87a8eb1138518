package dev.iolite.cli.report;

import static dev.iolite.cli.report.Markup.element;

import dev.iolite.steps.Step;
import java.util.ArrayList;
import java.util.List;

/** The report of {@code iolite passthrough}. */
public final class PassthroughPage {
  private PassthroughPage() {}

  /** Makes the report. */
  public static String of(PassthroughRecord record, Outcome outcome, HostFacts host) {
    List<String> devices = record.devices().stream().map(StageRecord::title).toList();
    Page page =
        new Page(
            "Passthrough of devices", devices.isEmpty() ? "No device" : String.join(", ", devices));
    page.verdict(outcome, outcome.code() == 0 ? record.success() : "It failed.");
    page.facts(
        List.of(
            new Fact("Kernel", host.name()),
            new Fact("Began", record.clock().began()),
            new Fact("Exit code", Integer.toString(outcome.code()))));
    List<Step> proofs = record.proofs();
    page.sections(
        Page.section(
            "What was proved",
            proofs.isEmpty()
                ? element("p", "Nothing.")
                : Page.list("proofs", proofs.stream().map(PassthroughPage::words).toList())),
        Page.section("What was not", Page.list("missing", notProved(record, outcome, host))));
    page.section(Page.section("Time line", TimeLine.of(record.devices())));
    page.section(Page.section("Devices and host", Page.properties(host.all())));
    return page.toString();
  }

  private static String words(Step step) {
    return "%s: %s: %s".formatted(step.device(), step.name(), step.outcome());
  }

  private static List<String> notProved(PassthroughRecord record, Outcome outcome, HostFacts host) {
    List<String> items = new ArrayList<>();
    record.steps().stream()
        .filter(step -> !step.succeeded())
        .forEach(step -> items.add(words(step)));
    if (outcome.code() != 0) {
      items.add("What comes after the failure: the run ended there.");
    }
    host.model().ifPresent(items::add);
    items.add(
        "That the host can't reach the guest's memory: passthrough is for guests that are not"
            + " confidential.");
    return items;
  }
}
