package dev.iolite.mock.tsm;

import dev.iolite.mock.core.KernelMessages;
import dev.iolite.mock.core.PciFollower;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.mock.core.Tree;
import dev.iolite.tsm.Arch;
import dev.iolite.tsm.Profile;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** A platform's TSM in the model. */
public final class TsmDriver {
  private final Task task;
  private final LinkTsm tsm;

  private TsmDriver(Task task, LinkTsm tsm) {
    this.task = task;
    this.tsm = tsm;
  }

  /** A kernel with CONFIG_PCI_TSM on a machine that has no TSM: an empty {@code /sys/class/tsm}. */
  public static TsmDriver installWithoutTsm(Task task, Tree tree, KernelMessages messages) {
    TsmFiles.addClassWithoutTsm(tree);
    return new TsmDriver(task, new LinkTsm(List::of, LockRules.software(), messages::add));
  }

  /**
   * Registers {@code tsm0}, which is connected to nothing.
   *
   * @param messages the kernel's log
   * @param parent the path, below {@code /sys}, of the device whose driver registers it
   * @param functions the functions that the kernel knows
   * @param follow how it learns of functions that are found and forgotten
   * @param rules how it locks interfaces
   */
  public static TsmDriver install(
      Task task,
      Tree tree,
      KernelMessages messages,
      String parent,
      Supplier<Collection<TeeFunction>> functions,
      Consumer<PciFollower> follow,
      LockRules rules) {
    LinkTsm tsm = new LinkTsm(functions, rules, messages::add);
    TsmFiles files = new TsmFiles(tsm);
    files.addClass(tree, parent);
    follow.accept(files);
    return new TsmDriver(task, tsm);
  }

  /**
   * The calls of a profile.
   *
   * @param arch the platform's architecture; empty if it has none
   */
  public TsmUapi uapi(Profile profile, Optional<Arch> arch) {
    return switch (profile) {
      case MAINLINE_7_3 -> TsmUapi.mainline();
      case ARM_V5 -> ArmV5Uapi.of(task, tsm);
      case V6 -> V6Uapi.of(task, tsm, arch);
      case CCA_V7 -> CcaV7Uapi.of(task, tsm, arch);
      case INTEL_RFC_2025 -> IntelRfcUapi.of(task, tsm);
      case SEED_2025 -> SeedUapi.of(task, tsm, arch);
    };
  }

  /** The TSM, for a test to drive. */
  public TsmControl control() {
    return new TsmControl(task, tsm);
  }
}
