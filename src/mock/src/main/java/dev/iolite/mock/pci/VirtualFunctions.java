package dev.iolite.mock.pci;

import java.util.ArrayList;
import java.util.List;

/**
 * The VFs that a physical function can have (struct pci_sriov), and how many of them are enabled.
 */
final class VirtualFunctions {
  private final List<PciFunction> functions = new ArrayList<>();
  private final int offset;
  private final int stride;
  private int count;

  /**
   * Makes a set without VFs.
   *
   * @param offset the distance of the first one from its PF, in routing ids
   * @param stride the distance of one from the next
   */
  VirtualFunctions(int offset, int stride) {
    this.offset = offset;
    this.stride = stride;
  }

  int offset() {
    return offset;
  }

  int stride() {
    return stride;
  }

  void add(PciFunction function) {
    functions.add(function);
  }

  /** All VFs that there can be. */
  List<PciFunction> all() {
    return functions;
  }

  /** The number of enabled VFs (pci_num_vf). */
  int count() {
    return count;
  }

  void setCount(int now) {
    count = now;
  }

  /** The enabled VFs. */
  List<PciFunction> enabled() {
    return functions.subList(0, count);
  }
}
