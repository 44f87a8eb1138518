package dev.iolite.mock.recording;

import dev.iolite.mock.device.ConfigImage;
import dev.iolite.mock.pci.Bdf;
import dev.iolite.mock.pci.Placement;
import java.util.Optional;

/**
 * A PCI function of a recorded machine.
 *
 * @param address where it was
 * @param ids what sysfs said it is, which its configuration space need not say
 * @param placement where the firmware and the kernel had put it
 * @param config its configuration space
 * @param physicalFunction its physical function, if it is a VF
 * @param sriov what it said about its VFs, if it can have any
 * @param tsm whether a TSM knew it
 */
public record RecordedFunction(
    Bdf address,
    Ids ids,
    Placement placement,
    ConfigImage config,
    Optional<Bdf> physicalFunction,
    Optional<Sriov> sriov,
    boolean tsm) {
  /**
   * What a function is.
   *
   * @param vendor 16 bits
   * @param device 16 bits
   * @param subsystemVendor 16 bits
   * @param subsystemDevice 16 bits
   * @param classCode 24 bits
   * @param revision 8 bits
   */
  public record Ids(
      int vendor,
      int device,
      int subsystemVendor,
      int subsystemDevice,
      int classCode,
      int revision) {}

  /**
   * The VFs that a function can have.
   *
   * @param total how many there can be
   * @param offset the distance of the first one from the function, in routing ids
   * @param stride the distance of one from the next
   */
  public record Sriov(int total, int offset, int stride) {}
}
