package dev.iolite.cli.recording;

import dev.iolite.kernel.SysFs;
import dev.iolite.mock.pci.Bdf;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Which functions must be in a recording for those that are wanted to be what they are: the rest of
 * their IOMMU groups, the bridges above them, and the physical functions of VFs.
 */
final class Needed {
  private Needed() {}

  /**
   * Finds them. Functions in a segment above 0xffff are left out, because the model has none.
   *
   * @param wanted all functions if it is empty
   * @throws dev.iolite.kernel.PreconditionException if one of them is not there
   */
  static Set<PciAddress> of(Pci pci, SysFs files, List<PciAddress> wanted) {
    Set<PciAddress> needed = new TreeSet<>();
    Deque<PciAddress> open = new ArrayDeque<>(wanted);
    if (wanted.isEmpty()) {
      pci.devices().forEach(device -> open.add(device.address()));
    }
    while (!open.isEmpty()) {
      PciAddress address = open.pop();
      if (Bdf.tryParse(address.toString()).isPresent() && needed.add(address)) {
        PciDevice device = pci.device(address);
        Stream.of(
                device.iommuGroup().stream()
                    .flatMap(group -> group.members().stream())
                    .map(member -> member.name()),
                Arrays.stream(files.readlink(device.path()).split("/", -1)),
                device.physicalFunction().stream().map(PciAddress::toString))
            .flatMap(names -> names)
            .filter(name -> Bdf.tryParse(name).isPresent())
            .map(PciAddress::parse)
            .forEach(open::add);
      }
    }
    return needed;
  }
}
