package dev.iolite.mock.tsm;

import dev.iolite.mock.core.Attribute;
import dev.iolite.mock.core.Node;
import dev.iolite.mock.core.PciFollower;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.mock.core.Tree;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * What sysfs shows about a TSM: its class, and in the functions' directories {@code tsm/} and
 * {@code authenticated} (drivers/pci/tsm.c, drivers/virt/coco/tsm-core.c).
 */
final class TsmFiles implements PciFollower {
  private static final String CLASS = "/sys/class/tsm";

  private final LinkTsm tsm;

  TsmFiles(LinkTsm tsm) {
    this.tsm = tsm;
  }

  /** The class of a kernel that has no TSM. */
  static void addClassWithoutTsm(Tree tree) {
    tree.add(CLASS, new Node.Directory(Map::of));
  }

  /**
   * Adds the class, and the TSM's own directory below the device that it was registered for.
   *
   * @param parent the device's path below {@code /sys}
   */
  void addClass(Tree tree, String parent) {
    String path = parent + "/tsm/" + tsm.name();
    tree.add(CLASS, directory(Map.of(tsm.name(), new Node.Link(() -> "../../" + path))));
    String up = "../".repeat((int) path.chars().filter(c -> c == '/').count() + 1);
    tree.add(
        "/sys/" + path,
        directory(Map.of("subsystem", new Node.Link(() -> up + "class/tsm"), "uevent", empty())));
  }

  private static Node directory(Map<String, Node> files) {
    Map<String, Node> sorted = new TreeMap<>(files);
    return new Node.Directory(() -> sorted);
  }

  private static Node empty() {
    return new Node.Text(Attribute.raw(() -> new byte[0]));
  }

  private static Node readable(Supplier<String> text) {
    return new Node.Text(Attribute.readable(text));
  }

  /** pci_tsm_link_group_visible. */
  private boolean isVisible(TeeFunction function) {
    return (function.isExpress() || function.isEmulatedTee())
        && (function.isManager() || tsm.isConnected(function));
  }

  @Override
  public Map<String, Node> files(TeeFunction function) {
    return isVisible(function)
        ? Map.of("tsm", new Node.Directory(() -> group(function)), "authenticated", state(function))
        : Map.of();
  }

  /** The name of the TSM that it is connected to, or an empty line (connect_show). */
  private Node state(TeeFunction function) {
    return readable(() -> connection(function));
  }

  private String connection(TeeFunction function) {
    return tsm.isConnected(function) ? tsm.name() : "";
  }

  /** pci_tsm_attr_visible. */
  private Map<String, Node> group(TeeFunction function) {
    Map<String, Node> files = new TreeMap<>();
    boolean isManaged = tsm.manager(function).filter(TeeFunction::hasTee).isPresent();
    if (function.isManager()) {
      files.put(
          "connect",
          new Node.Text(
              Attribute.of(() -> connection(function), text -> tsm.connect(function, text))));
      files.put(
          "disconnect", new Node.Text(Attribute.writable(text -> tsm.disconnect(function, text))));
    }
    if (isManaged || (function.isManager() && function.hasTee())) {
      files.put("bound", readable(() -> tsm.tdi(function).map(_ -> tsm.name()).orElse("")));
    }
    if (isManaged || function.isManager()) {
      files.put("dsm", readable(() -> tsm.manager(function).map(TeeFunction::name).orElse("")));
    }
    return files;
  }

  @Override
  public void added(TeeFunction function) {
    tsm.added(function);
  }

  @Override
  public void removed(TeeFunction function) {
    tsm.drop(function);
  }
}
