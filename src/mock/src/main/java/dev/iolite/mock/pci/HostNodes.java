package dev.iolite.mock.pci;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Node;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.Tree;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The nodes that host drivers have made: in {@code /dev} (drivers/base/devtmpfs.c), in the
 * directories of their devices, and by number (drivers/base/core.c:device_create_sys_dev_entry).
 */
final class HostNodes {
  private final Task task;
  private final Tree tree;
  private final Map<String, Node> blocks = new TreeMap<>();
  private final Map<HostNode, Integer> open = new HashMap<>();
  private final Map<PciDev, Runnable> waiting = new HashMap<>();
  private final Map<PciDev, List<HostNode>> present = new HashMap<>();

  HostNodes(Task task, Tree tree) {
    this.task = task;
    this.tree = tree;
    tree.add("/sys/class/block", new Node.Directory(() -> blocks));
  }

  /** Notes that another process has a node open, from the start and forever. */
  void hold(HostNode node) {
    open.merge(node, 1, Integer::sum);
  }

  /** The lowest number that no node with this prefix has, as {@code nvme} chooses it. */
  int free(String prefix) {
    List<String> names =
        present.values().stream().flatMap(List::stream).map(HostNode::name).toList();
    int number = 0;
    while (names.contains(prefix + number)) {
      number++;
    }
    return number;
  }

  /** Adds the nodes that a driver makes for a device. */
  void add(PciDev device, List<HostNode> nodes) {
    present.put(device, nodes);
    for (HostNode node : nodes) {
      String path = device.path() + "/" + node.directory();
      directory(device, node.directory()).putAll(files(node));
      tree.add(
          "/dev/" + node.name(),
          new Node.Device(() -> opened(device, node), node.major(), node.minor()));
      tree.add(byNumber(node), Nodes.link("../../" + path));
      if (node.block()) {
        blocks.put(node.name(), Nodes.link("../../" + path));
      }
    }
  }

  private static String byNumber(HostNode node) {
    return "/sys/dev/" + (node.block() ? "block/" : "char/") + node.number();
  }

  private static Map<String, Node> files(HostNode node) {
    Map<String, Node> files = new TreeMap<>();
    files.put("dev", Nodes.text(node.number()));
    files.put(
        "uevent",
        Nodes.text(
            "MAJOR=%d\nMINOR=%d\nDEVNAME=%s".formatted(node.major(), node.minor(), node.name())));
    if (node.block()) {
      files.put("size", Nodes.text("131072"));
      files.put("holders", Nodes.directory(Map.of()));
    }
    return files;
  }

  /** The content of a directory below the device's, which is made if it does not exist. */
  private static Map<String, Node> directory(PciDev device, String path) {
    Map<String, Node> directory = device.files();
    for (String name : path.split("/", -1)) {
      Node next =
          directory.computeIfAbsent(
              name,
              _ -> {
                Map<String, Node> made = new TreeMap<>();
                return new Node.Directory(() -> made);
              });
      directory = ((Node.Directory) next).children().get();
    }
    return directory;
  }

  private OpenFile opened(PciDev device, HostNode node) {
    if (!present.getOrDefault(device, List.of()).contains(node)) {
      throw refused(Errno.ENXIO);
    }
    open.merge(node, 1, Integer::sum);
    return new OpenFile(task) {
      @Override
      public String name() {
        return "/dev/" + node.name();
      }

      @Override
      protected void release() {
        open.merge(node, -1, Integer::sum);
        letGo(device);
      }
    };
  }

  /**
   * Removes the nodes of a device for its driver. Some drivers wait for those who have them open,
   * such as drivers/infiniband/core/uverbs_main.c:ib_uverbs_remove_one.
   *
   * @param removed called when nobody is waited for
   */
  void remove(PciDev device, Runnable removed) {
    for (HostNode node : present.getOrDefault(device, List.of())) {
      tree.remove("/dev/" + node.name());
      tree.remove(byNumber(node));
      blocks.remove(node.name());
    }
    present.getOrDefault(device, List.of()).stream()
        .map(node -> node.directory().split("/", 2)[0])
        .collect(Collectors.toSet())
        .forEach(device.files()::remove);
    waiting.put(device, removed);
    letGo(device);
  }

  private void letGo(PciDev device) {
    if (present.getOrDefault(device, List.of()).stream()
        .noneMatch(node -> node.awaited() && open.getOrDefault(node, 0) > 0)) {
      Optional.ofNullable(waiting.remove(device))
          .ifPresent(removed -> {
            present.remove(device);
            removed.run();
          });
    }
  }
}
