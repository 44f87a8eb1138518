package dev.iolite.mock.kvm;

import dev.iolite.mock.core.MiscDevice;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.Tree;

/** Adds KVM to the model. */
public final class KvmDriver {
  private KvmDriver() {}

  /** Adds its files, with {@code /dev/sev} if there is one, to the tree of a machine. */
  public static void install(Task task, Tree tree, KvmSetup setup) {
    KvmHost host = new KvmHost(task, setup);
    KvmParameters.addTo(tree);
    MiscDevice.KVM.addTo(tree, () -> new KvmFile(host));
    if (setup.platform().hasSev()) {
      MiscDevice.SEV.addTo(tree, () -> new SevFile(task));
    }
  }
}
