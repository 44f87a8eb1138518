package dev.iolite.cli.report;

import static dev.iolite.cli.report.Markup.attribute;
import static dev.iolite.cli.report.Markup.element;
import static dev.iolite.cli.report.Markup.ofClass;

import dev.iolite.cli.Version;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * The frame of every report, and the forms that reports share. It is one file that needs no other:
 * it has no script, and its policy forbids the browser to load anything.
 */
final class Page {
  private static final String POLICY = "default-src 'none'; style-src 'unsafe-inline'";

  private final String kind;
  private final String title;
  private final List<Markup> head = new ArrayList<>();
  private final List<Markup> sections = new ArrayList<>();

  /**
   * Begins a page.
   *
   * @param kind what is reported
   * @param title what it is about, such as a device
   */
  Page(String kind, String title) {
    this.kind = kind;
    this.title = title;
  }

  /** Says how the run ended, and if it failed, why. */
  void verdict(Outcome outcome, String verdict) {
    boolean isGood = outcome.code() == 0;
    head.add(
        element(
            "p",
            ofClass("verdict " + (isGood ? "good" : "bad")),
            isGood ? "\u2713 " : "\u2717 ",
            verdict));
    if (!outcome.problems().isEmpty()) {
      head.add(list("problems", outcome.problems()));
    }
  }

  /** Adds a sentence on what was done. */
  void note(String text) {
    head.add(element("p", ofClass("note"), text));
  }

  /** Adds what the reader has to know of the run. */
  void facts(List<Fact> facts) {
    head.add(properties(facts));
  }

  /** Adds two sections that are side by side where there is room. */
  void sections(Markup left, Markup right) {
    sections.add(element("div", ofClass("two"), left, right));
  }

  void section(Markup section) {
    sections.add(section);
  }

  /** A section with its heading. */
  static Markup section(String heading, Object... content) {
    return element("section", element("h2", heading), List.of(content));
  }

  static Markup list(String classes, List<?> items) {
    return element(
        "ul", ofClass(classes), items.stream().map(item -> element("li", item)).toList());
  }

  static Markup properties(List<Fact> facts) {
    return element(
        "dl",
        facts.stream()
            .map(fact -> element("div", element("dt", fact.name()), element("dd", fact.value())))
            .toList());
  }

  /** Something that is unfolded when the reader wants it. */
  static Markup fold(String classes, boolean isOpen, Markup summary, Object... content) {
    Object open = isOpen ? attribute("open", "open") : List.of();
    return element("details", ofClass(classes), open, summary, List.of(content));
  }

  /** A table; one that is too wide can be moved, by keyboard too. */
  static Markup table(
      String classes, String name, List<String> header, List<? extends List<?>> rows) {
    Markup head =
        element(
            "tr",
            header.stream().map(cell -> element("th", attribute("scope", "col"), cell)).toList());
    List<Markup> body =
        rows.stream()
            .map(row -> element("tr", row.stream().map(cell -> element("td", cell)).toList()))
            .toList();
    return element(
        "div",
        ofClass("wide"),
        attribute("role", "region"),
        attribute("tabindex", "0"),
        attribute("aria-label", name),
        element("table", ofClass(classes), element("thead", head), element("tbody", body)));
  }

  /** A word for whether something succeeded, which its colour only repeats. */
  static Markup mark(boolean isGood) {
    return element("span", ofClass("mark " + (isGood ? "good" : "bad")), isGood ? "ok" : "FAILED");
  }

  /** The file. */
  @Override
  public String toString() {
    Markup page =
        element(
            "html",
            attribute("xmlns", "http://www.w3.org/1999/xhtml"),
            attribute("lang", "en"),
            attribute("xml:lang", "en"),
            element(
                "head",
                element("meta", attribute("charset", "utf-8")),
                element(
                    "meta",
                    attribute("name", "viewport"),
                    attribute("content", "width=device-width, initial-scale=1")),
                element(
                    "meta",
                    attribute("http-equiv", "Content-Security-Policy"),
                    attribute("content", POLICY)),
                element("title", kind + ": " + title),
                element("style", new Markup("\n" + styles()))),
            element(
                "body",
                element("header", element("p", ofClass("kind"), kind), element("h1", title), head),
                element("main", sections),
                element("footer", "Made by iolite " + Version.number() + ".")));
    return "<!DOCTYPE html>\n" + page.source() + "\n";
  }

  private static String styles() {
    try (InputStream file = Page.class.getResourceAsStream("report.css")) {
      return new String(Objects.requireNonNull(file).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
