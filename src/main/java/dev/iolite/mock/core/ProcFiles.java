package dev.iolite.mock.core;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** What procfs shows of the calling process. */
public final class ProcFiles {
  private ProcFiles() {}

  /** Adds them to the tree. */
  public static void addTo(Tree tree, Task task) {
    tree.add(
        "/proc/self/fd",
        new Node.Directory(() -> {
          Map<String, Node> links = new TreeMap<>();
          Arrays.stream(task.descriptors().numbers())
              .forEach(fd ->
                  links.put(
                      Integer.toString(fd),
                      new Node.Link(() -> task.descriptors().get(fd).name())));
          return links;
        }));
    tree.add("/proc/self/maps", new Node.Text(Attribute.readable(task.memory()::text)));
  }
}
