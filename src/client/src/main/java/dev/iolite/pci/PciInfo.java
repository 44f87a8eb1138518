package dev.iolite.pci;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Everything that sysfs says about a PCI function at one point in time.
 *
 * @param address where it is
 * @param vendor vendor id, 16 bits
 * @param device device id, 16 bits
 * @param subsystemVendor vendor id of the board, 16 bits
 * @param subsystemDevice device id of the board, 16 bits
 * @param classCode base class, subclass and programming interface, 24 bits
 * @param className what kind of device that is, in words
 * @param driver the driver that has it; empty if none does
 * @param driverOverride the only driver that may bind it, if one was set
 * @param iommuGroup its IOMMU group; empty if no IOMMU translates for it
 * @param answers whether its configuration space reads as anything but all ones
 * @param headerType 0 for an ordinary function, 1 for a PCI bridge, 2 for a CardBus bridge
 * @param command the command register, 16 bits
 * @param resources its BARs and its ROM
 * @param capabilities the capabilities in its configuration space, as far as this user may read
 * @param capabilitiesHidden whether it has capabilities that this user may not read
 * @param resetMethods the methods by which the kernel would reset it, the preferred one first
 * @param numaNode its NUMA node; empty if the firmware does not say
 * @param vfioCdev its VFIO character device; empty if it has none
 * @param physicalFunction its physical function, if it is a VF
 * @param virtualFunctions its VFs
 * @param tsm what the kernel says about its TSM; empty if no TSM knows it
 */
public record PciInfo(
    PciAddress address,
    int vendor,
    int device,
    int subsystemVendor,
    int subsystemDevice,
    int classCode,
    String className,
    Optional<String> driver,
    Optional<String> driverOverride,
    Optional<IommuGroup> iommuGroup,
    boolean answers,
    int headerType,
    int command,
    List<PciResource> resources,
    List<PciCapability> capabilities,
    boolean capabilitiesHidden,
    List<String> resetMethods,
    OptionalInt numaNode,
    Optional<String> vfioCdev,
    Optional<PciAddress> physicalFunction,
    List<PciAddress> virtualFunctions,
    Optional<TsmState> tsm) {
  /** Copies the lists. */
  public PciInfo {
    resources = List.copyOf(resources);
    capabilities = List.copyOf(capabilities);
    resetMethods = List.copyOf(resetMethods);
    virtualFunctions = List.copyOf(virtualFunctions);
  }

  /**
   * Reads all of it; changes nothing.
   *
   * @throws dev.iolite.kernel.KernelException ENOENT, ENODEV: the function has gone
   */
  public static PciInfo of(PciDevice device) {
    ConfigSpace config = device.config();
    return new PciInfo(
        device.address(),
        device.vendor(),
        device.device(),
        device.subsystemVendor(),
        device.subsystemDevice(),
        device.classCode(),
        device.className(),
        device.driver(),
        device.driverOverride(),
        device.iommuGroup(),
        config.answers(),
        config.headerType(),
        config.command(),
        device.resources(),
        config.capabilities(),
        config.hidesCapabilities(),
        device.resetMethods(),
        device.numaNode(),
        device.vfioCdev(),
        device.physicalFunction(),
        device.virtualFunctions().stream().map(PciDevice::address).toList(),
        device.tsm());
  }

  /** Vendor and device id as lspci writes them, {@code 1234:11e8}. */
  public String id() {
    return "%04x:%04x".formatted(vendor, device);
  }
}
