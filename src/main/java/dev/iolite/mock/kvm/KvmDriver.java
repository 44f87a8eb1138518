package dev.iolite.mock.kvm;

import dev.iolite.mock.core.Node;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.Tree;

/** Makes {@code /dev/kvm}. */
public final class KvmDriver {
  private KvmDriver() {}

  /** Adds it to the tree of a machine. */
  public static void install(Task task, Tree tree, KvmPlatform platform, GuestScripts scripts) {
    KvmHost host = new KvmHost(task, platform, scripts);
    tree.add("/dev/kvm", new Node.Device(_ -> new KvmFile(host)));
  }
}
