package dev.iolite.lab;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;
import org.xml.sax.helpers.DefaultHandler;

/** Reads the XML report that JUnit's console launcher writes in the lab's guest. */
final class GuestReport {
  private GuestReport() {}

  /** The tests of a report, in its order. */
  static List<GuestTest> read(InputStream xml) throws IOException {
    NodeList cases;
    try {
      DocumentBuilderFactory factory = DocumentBuilderFactory.newDefaultInstance();
      factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
      DocumentBuilder builder = factory.newDocumentBuilder();
      // The default one prints; this one only throws.
      builder.setErrorHandler(new DefaultHandler());
      cases = builder.parse(xml).getElementsByTagName("testcase");
    } catch (ParserConfigurationException | SAXException e) {
      throw new IOException("The guest's test report is not well-formed XML", e);
    }
    List<GuestTest> tests = new ArrayList<>();
    for (Element test : elements(cases)) {
      tests.add(
          new GuestTest(test.getAttribute("classname"), test.getAttribute("name"), outcome(test)));
    }
    return tests;
  }

  private static GuestTest.Outcome outcome(Element test) {
    Optional<Element> failure = child(test, "failure").or(() -> child(test, "error"));
    if (failure.isPresent()) {
      return new GuestTest.Failed(failure.get().getTextContent().strip());
    }
    return child(test, "skipped")
        .<GuestTest.Outcome>map(skipped -> new GuestTest.Skipped(reason(skipped)))
        .orElseGet(GuestTest.Passed::new);
  }

  /** Of a failed assumption the report has the whole stack trace: its message is enough. */
  private static String reason(Element skipped) {
    String text = skipped.getTextContent().strip();
    return text.lines()
        .findFirst()
        .orElse("no reason given")
        .replaceFirst("^[\\w.]+Exception: ", "");
  }

  private static Optional<Element> child(Element parent, String name) {
    return elements(parent.getElementsByTagName(name)).stream().findFirst();
  }

  private static List<Element> elements(NodeList nodes) {
    return IntStream.range(0, nodes.getLength())
        .mapToObj(nodes::item)
        .map(Element.class::cast)
        .toList();
  }
}
