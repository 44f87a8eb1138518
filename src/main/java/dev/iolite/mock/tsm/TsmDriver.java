package dev.iolite.mock.tsm;

import dev.iolite.mock.core.PciFollower;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.mock.core.Tree;
import java.util.Collection;
import java.util.List;
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
  public static TsmDriver installWithoutTsm(Task task, Tree tree) {
    TsmFiles.addClassWithoutTsm(tree);
    return new TsmDriver(task, new LinkTsm(List::of, LockRules.software()));
  }

  /**
   * Registers {@code tsm0}, which is connected to nothing.
   *
   * @param parent the path below {@code /sys} of the device whose driver registers it
   * @param functions the functions that the kernel knows
   * @param follow how it learns of functions that are found and forgotten
   * @param rules how it locks interfaces
   */
  public static TsmDriver install(
      Task task,
      Tree tree,
      String parent,
      Supplier<Collection<TeeFunction>> functions,
      Consumer<PciFollower> follow,
      LockRules rules) {
    LinkTsm tsm = new LinkTsm(functions, rules);
    TsmFiles files = new TsmFiles(tsm);
    files.addClass(tree, parent);
    follow.accept(files);
    return new TsmDriver(task, tsm);
  }

  /**
   * The proposal with an operation and an architecture in each request.
   *
   * @param arch the platform's number among the architectures; 0: it has none
   */
  public TsmProfile v6(int arch) {
    return new V6Profile(task, tsm, arch);
  }

  /** The proposal whose requests have a scope. */
  public TsmProfile armV5() {
    return new ArmV5Profile(task, tsm);
  }

  /** The proposal in which making the vDEVICE binds; as {@link #v6}. */
  public TsmProfile ccaV7(int arch) {
    return new CcaV7Profile(task, tsm, arch);
  }

  /** The proposal in which VFIO binds. */
  public TsmProfile intelRfc() {
    return new IntelRfcProfile(task, tsm);
  }

  /** The flow with a shared and a private dma-buf for each BAR; as {@link #v6}. */
  public TsmProfile seed(int arch) {
    return new SeedProfile(task, tsm, arch);
  }

  /** The TSM, for a test to drive. */
  public TsmControl control() {
    return new TsmControl(task, tsm);
  }
}
