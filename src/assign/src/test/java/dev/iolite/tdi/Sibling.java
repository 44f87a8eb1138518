package dev.iolite.tdi;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.pci.Pci;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.VfioDevice;

/** The other function of an endpoint's set, opened beside it. */
record Sibling(BoundVfioDevice device) implements AutoCloseable {
  /** Bound to the assignment's own iommufd, which only these tests can reach. */
  static Sibling of(Life life, TdiAssignment at) {
    return of(life, at.assigned().iommufd());
  }

  /** Bound to an iommufd. */
  static Sibling of(Life life, Iommufd iommufd) {
    String cdev = new Pci(life.kernel).device(Life.SIBLING).requireVfioCdev();
    VfioDevice opened = VfioDevice.open(life.kernel, cdev, Life.SIBLING.toString());
    try {
      return new Sibling(opened.bind(iommufd));
    } catch (RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  @Override
  public void close() {
    device.close();
  }
}
