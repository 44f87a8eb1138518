package dev.iolite.mock.pci;

import java.util.ArrayList;
import java.util.List;

/**
 * The VFs that a physical function can have (struct pci_sriov), and how many of them are enabled.
 */
final class VirtualFunctions {
  /** Offset and stride as in QEMU's nvme: the VFs follow their PF. */
  static final int OFFSET = 1;

  private final List<PciFunction> functions = new ArrayList<>();
  private int count;

  /** The address of a VF (drivers/pci/iov.c:pci_iov_virtfn_bus, pci_iov_virtfn_devfn). */
  static Bdf address(Bdf physical, int index) {
    int devfn = physical.devfn() + OFFSET + index;
    return new Bdf(physical.domain(), physical.bus(), devfn >> 3, devfn & 7);
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
