package dev.iolite.mock.pci;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Node;
import java.util.List;
import java.util.Map;

/** A driver by which the host itself uses devices: it has them, and does nothing with them. */
final class HostDriver implements PciDriver {
  private static final String NVME = "nvme";

  /** A controller with one disk. */
  private static final Node NVME_DISK =
      Nodes.directory(
          Map.of(
              "nvme0",
              Nodes.directory(
                  Map.of(
                      "nvme0n1",
                      Nodes.directory(
                          Map.of(
                              "dev",
                              Nodes.text("259:0"),
                              "size",
                              Nodes.text("131072"),
                              "holders",
                              Nodes.directory(Map.of())))))));

  private final String name;
  private final List<Integer> ids;

  /**
   * A driver.
   *
   * @param ids the devices that it drives, {@code vendor << 16 | device}
   */
  HostDriver(String name, List<Integer> ids) {
    this.name = name;
    this.ids = List.copyOf(ids);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public boolean matches(PciDevice device) {
    return hasId(device.shape().vendor(), device.shape().device());
  }

  @Override
  public boolean hasId(int vendor, int device) {
    return ids.contains((vendor << 16) | device);
  }

  @Override
  public boolean isDmaManaged() {
    return false;
  }

  /** It drives nothing that its table does not name, whatever driver_override says. */
  @Override
  public void probe(PciDevice device) {
    refuseIf(!matches(device), Errno.ENODEV);
    device.enable();
    device.setMaster(true);
    if (device.msiXCapability() != 0) {
      device.allocateMessages(1, true);
    }
    if (name.equals(NVME)) {
      device.files().put("nvme", NVME_DISK);
    }
  }

  @Override
  public void remove(PciDevice device, Runnable released) {
    device.files().remove("nvme");
    if (device.messages() != 0) {
      device.freeMessages();
    }
    device.disable();
    released.run();
  }

  @Override
  public String toString() {
    return name;
  }
}
