package dev.iolite.cli.report;

import dev.iolite.cli.Printable;
import dev.iolite.cli.drawing.Xml;
import java.util.List;
import java.util.Set;

/**
 * A piece of markup that both an HTML and an XML parser read. It is made of elements; a text
 * becomes a part of it only escaped, because it may come from a device, a file or another process.
 *
 * @param source its source
 */
record Markup(String source) {
  /** Elements that have no content, and no end tag in HTML. */
  private static final Set<String> VOID = Set.of("meta", "br");

  /** An attribute of the element that it is given to. */
  record Attribute(String name, String value) {}

  static Attribute attribute(String name, String value) {
    return new Attribute(name, value);
  }

  /** The class of an element, for the style sheet. */
  static Attribute ofClass(String names) {
    return attribute("class", names);
  }

  static Markup text(String text) {
    return new Markup(Xml.escaped(Printable.line(text)));
  }

  /**
   * An element.
   *
   * @param parts its attributes, and its content: texts, markup, and lists of both
   */
  static Markup element(String name, Object... parts) {
    StringBuilder attributes = new StringBuilder();
    StringBuilder content = new StringBuilder();
    for (Object part : parts) {
      if (part instanceof Attribute(String of, String value)) {
        attributes.append(" %s=\"%s\"".formatted(of, text(value).source));
      } else {
        append(content, part);
      }
    }
    String start = "<" + name + attributes;
    return new Markup(
        VOID.contains(name) ? start + "/>" : start + ">" + content + "</" + name + ">");
  }

  private static void append(StringBuilder content, Object part) {
    switch (part) {
      case Markup markup -> content.append(markup.source);
      case List<?> parts -> parts.forEach(each -> append(content, each));
      default -> content.append(text(part.toString()).source);
    }
  }
}
