package dev.iolite.build;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.xml.sax.SAXException;

/** A pom.xml as it is written, without what Maven adds to it. */
final class PomFile {
  private static final String OURS = "dev.iolite";
  private static final String USUAL_GROUP = "org.apache.maven.plugins";

  /** Groups of which a BOM says the versions, by the BOM. */
  private static final Map<String, String> OF_BOMS =
      Map.of(
          "org.junit.jupiter", "org.junit:junit-bom", "org.junit.platform", "org.junit:junit-bom");

  /** Something that is fetched. */
  private record Artifact(String what, String group, String name, Optional<String> version) {
    String id() {
      return group + ":" + name;
    }

    String file(String version) {
      return "%s/%s/%s/%s-%s.pom".formatted(group.replace('.', '/'), name, version, name, version);
    }

    @Override
    public String toString() {
      return what + " " + id();
    }
  }

  private final Map<String, String> properties = new HashMap<>();
  private final List<Artifact> dependencies;
  private final List<Artifact> plugins;

  PomFile(Path file) {
    Element project = read(file);
    children(project, "properties")
        .flatMap(PomFile::children)
        .forEach(one -> properties.put(one.getTagName(), one.getTextContent().strip()));
    dependencies =
        Stream.of("dependency", "path", "extension")
            .flatMap(tag -> all(project, tag))
            .map(one -> artifact("dependency", one))
            .toList();
    plugins = all(project, "plugin").map(one -> artifact("plugin", one)).toList();
  }

  private static Element read(Path file) {
    try {
      return DocumentBuilderFactory.newInstance()
          .newDocumentBuilder()
          .parse(file.toFile())
          .getDocumentElement();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (SAXException | ParserConfigurationException e) {
      throw new IllegalArgumentException(file + " can't be read", e);
    }
  }

  private static Stream<Element> children(Element of) {
    List<Element> found = new ArrayList<>();
    for (Node one = of.getFirstChild(); one != null; one = one.getNextSibling()) {
      if (one instanceof Element element) {
        found.add(element);
      }
    }
    return found.stream();
  }

  private static Stream<Element> children(Element of, String tag) {
    return children(of).filter(one -> one.getTagName().equals(tag));
  }

  private static Stream<Element> all(Element of, String tag) {
    var found = of.getElementsByTagName(tag);
    return Stream.iterate(0, i -> i < found.getLength(), i -> i + 1)
        .map(i -> (Element) found.item(i));
  }

  private static Artifact artifact(String what, Element element) {
    String group = text(element, "groupId").orElse(USUAL_GROUP);
    return new Artifact(
        what, group, text(element, "artifactId").orElse("?"), text(element, "version"));
  }

  private static Optional<String> text(Element of, String tag) {
    return children(of, tag).map(one -> one.getTextContent().strip()).findFirst();
  }

  /** The plugins that have a version here. */
  List<String> pinnedPlugins() {
    return plugins.stream().filter(one -> one.version().isPresent()).map(Artifact::id).toList();
  }

  private List<String> pinnedDependencies() {
    return dependencies.stream()
        .filter(one -> one.version().isPresent())
        .map(Artifact::id)
        .toList();
  }

  /**
   * What has no version here and in the root, or a version that may be another one tomorrow: a line
   * for each.
   */
  List<String> unpinned(PomFile root) {
    List<String> pinned = new ArrayList<>(root.pinnedDependencies());
    pinned.addAll(root.pinnedPlugins());
    pinned.addAll(pinnedPlugins());
    List<String> problems = new ArrayList<>();
    for (Artifact one : Stream.concat(dependencies.stream(), plugins.stream()).toList()) {
      if (one.version().isPresent()) {
        String version = resolved(one.version().get(), root);
        if (!one.group().equals(OURS) && (!version.matches("[0-9][\\w.-]*") || isMoving(version))) {
          problems.add(one + " has the version " + version + ", which is not one version");
        }
      } else if (!pinned.contains(one.id()) && !pinned.contains(OF_BOMS.get(one.group()))) {
        problems.add(one + " has no version");
      }
    }
    return problems;
  }

  /** Where a local repository has the POMs of all that is named here with a version. */
  Stream<String> fetched(PomFile root) {
    return Stream.concat(dependencies.stream(), plugins.stream())
        .filter(one -> one.version().isPresent() && !one.group().equals(OURS))
        .map(one -> one.file(resolved(one.version().get(), root)));
  }

  private static boolean isMoving(String version) {
    return version.endsWith("-SNAPSHOT");
  }

  private String resolved(String version, PomFile root) {
    if (!version.startsWith("${")) {
      return version;
    }
    String name = version.substring(2, version.length() - 1);
    return Optional.ofNullable(properties.getOrDefault(name, root.properties.get(name)))
        .orElse(version);
  }
}
