package dev.iolite.mock.pci;

import dev.iolite.mock.core.Attribute;
import dev.iolite.mock.core.Node;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Shortcuts for making nodes of sysfs and procfs. */
final class Nodes {
  private Nodes() {}

  static Node text(String fixed) {
    return new Node.Text(Attribute.readable(() -> fixed));
  }

  static Node text(Supplier<String> text) {
    return new Node.Text(Attribute.readable(text));
  }

  static Node command(Consumer<String> store) {
    return new Node.Text(Attribute.writable(store));
  }

  static Node link(String target) {
    return new Node.Link(() -> target);
  }

  static Node directory(Supplier<Map<String, Node>> children) {
    return new Node.Directory(children);
  }

  static Node directory(Map<String, Node> children) {
    Map<String, Node> copy = new TreeMap<>(children);
    return new Node.Directory(() -> copy);
  }
}
