package dev.iolite.mock.core;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What procfs shows about processes: the calling one, and others that only have open files. */
public final class ProcFiles {
  /** Memory that every process has; only kernel threads show none. */
  private static final String STACK =
      "7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0                          [stack]";

  private ProcFiles() {}

  /** Adds them to the tree. */
  public static void addTo(Tree tree, Task task) {
    String process = Long.toString(ProcessHandle.current().pid());
    tree.add("/proc/self", new Node.Link(() -> process));
    String directory = "/proc/" + process;
    tree.add(
        directory + "/fd",
        new Node.Directory(() -> {
          Map<String, Node> links = new TreeMap<>();
          Arrays.stream(task.descriptors().numbers())
              .forEach(fd ->
                  links.put(
                      Integer.toString(fd),
                      new Node.Link(() -> task.descriptors().getRaw(fd).name())));
          return links;
        }));
    tree.add(
        directory + "/maps", new Node.Text(Attribute.readable(() -> task.memory().text() + STACK)));
    tree.add(
        directory + "/fdinfo",
        new Node.Directory(() -> {
          Map<String, Node> infos = new TreeMap<>();
          Arrays.stream(task.descriptors().numbers())
              .forEach(fd ->
                  infos.put(
                      Integer.toString(fd),
                      new Node.Text(Attribute.readable(() -> task.descriptors().get(fd).info()))));
          return infos;
        }));
    tree.add(directory + "/comm", new Node.Text(Attribute.readable(() -> "java")));
  }

  /**
   * Adds another process.
   *
   * @param files the files that it has open
   */
  public static void addOther(Tree tree, int pid, String comm, List<String> files) {
    String directory = "/proc/" + pid;
    Map<String, Node> links = new TreeMap<>();
    for (int i = 0; i < files.size(); i++) {
      String file = files.get(i);
      links.put(Integer.toString(i), new Node.Link(() -> file));
    }
    tree.add(directory + "/fd", new Node.Directory(() -> links));
    tree.add(directory + "/maps", new Node.Text(Attribute.readable(() -> STACK)));
    tree.add(directory + "/comm", new Node.Text(Attribute.readable(() -> comm)));
  }
}
