package dev.iolite.mock.pci;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a host was seen to say about a function, beyond what the function itself is: where the
 * firmware and the kernel put it, and who had it.
 *
 * @param resources its addresses, by their line in sysfs: BARs, ROM, and what SR-IOV and bridges
 *     have; what is not there is {@link IoResource#NONE}
 * @param irq the number in its {@code irq} file
 * @param driver the driver that had it
 * @param driverOverride the only driver that may have it
 * @param iommu the name of the IOMMU unit in front of it; empty without an IOMMU
 * @param group its IOMMU group; empty without an IOMMU
 * @param resetMethods the words in its {@code reset_method} file
 * @param vfio what VFIO said about it; empty if it was not asked
 * @param attributes further files of its directory in sysfs, with their text
 */
public record Placement(
    Map<Integer, IoResource> resources,
    int irq,
    Optional<String> driver,
    Optional<String> driverOverride,
    Optional<String> iommu,
    OptionalInt group,
    List<String> resetMethods,
    Optional<VfioSeen> vfio,
    Map<String, String> attributes) {
  /** Copies the collections. */
  public Placement {
    resources = Map.copyOf(resources);
    resetMethods = List.copyOf(resetMethods);
    attributes = Map.copyOf(attributes);
  }

  IoResource resource(int index) {
    return resources.getOrDefault(index, IoResource.NONE);
  }

  /** Whether the kernel could reset the function in this way. */
  boolean canReset(ResetMethod method) {
    return resetMethods.contains(method.word());
  }
}
