package dev.iolite.cli.report;

import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/** A report that a parser has read. */
public final class HtmlPage {
  private final Document document;

  private HtmlPage(Document document) {
    this.document = document;
  }

  public static HtmlPage of(String source) throws IOException {
    try {
      return new HtmlPage(
          DocumentBuilderFactory.newInstance()
              .newDocumentBuilder()
              .parse(new InputSource(new StringReader(source))));
    } catch (SAXException | ParserConfigurationException e) {
      throw new AssertionError("this is not well-formed", e);
    }
  }

  public List<Element> elements(String name) {
    return elements(document.getElementsByTagName(name));
  }

  private static List<Element> elements(NodeList nodes) {
    List<Element> elements = new ArrayList<>();
    for (int i = 0; i < nodes.getLength(); i++) {
      elements.add((Element) nodes.item(i));
    }
    return elements;
  }

  public List<String> text(String element) {
    return elements(element).stream().map(Element::getTextContent).toList();
  }

  private List<Element> classed(String name) {
    return elements("*").stream().filter(e -> e.getAttribute("class").equals(name)).toList();
  }

  public List<String> ofClass(String name) {
    return classed(name).stream().map(Element::getTextContent).toList();
  }

  public List<Element> inside(String classed, String name) {
    return classed(classed).stream()
        .flatMap(e -> elements(e.getElementsByTagName(name)).stream())
        .toList();
  }

  public List<String> labels(String classed) {
    return classed(classed).stream().map(e -> e.getAttribute("aria-label")).toList();
  }

  public List<String> open() {
    return elements("details").stream()
        .filter(e -> e.hasAttribute("open"))
        .map(Element::getTextContent)
        .toList();
  }
}
