package dev.iolite.pci;

/** Names of common classes of PCI functions. */
final class PciClass {
  private static final int SUBCLASS_SHIFT = 8;
  private static final int BASE_SHIFT = 16;

  private PciClass() {}

  /**
   * The name of a class.
   *
   * @param code base class, subclass and programming interface, 24 bits
   */
  static String name(int code) {
    return switch (code >> SUBCLASS_SHIFT) {
      case 0x0100 -> "SCSI controller";
      case 0x0101 -> "IDE controller";
      case 0x0104 -> "RAID controller";
      case 0x0106 -> "SATA controller";
      case 0x0107 -> "SAS controller";
      case 0x0108 -> "NVMe controller";
      case 0x0200 -> "Ethernet controller";
      case 0x0207 -> "InfiniBand controller";
      case 0x0300 -> "VGA controller";
      case 0x0302 -> "3D controller";
      case 0x0403 -> "audio device";
      case 0x0500 -> "RAM";
      case 0x0502 -> "CXL memory";
      case 0x0600 -> "host bridge";
      case 0x0601 -> "ISA bridge";
      case 0x0604 -> "PCI bridge";
      case 0x0780 -> "communication controller";
      case 0x0806 -> "IOMMU";
      case 0x0c03 -> "USB controller";
      case 0x0c05 -> "SMBus controller";
      case 0x1000, 0x1080 -> "encryption controller";
      case 0x1200 -> "processing accelerator";
      default -> baseName(code >> BASE_SHIFT);
    };
  }

  private static String baseName(int base) {
    return switch (base) {
      case 0x00 -> "unclassified device";
      case 0x01 -> "storage controller";
      case 0x02 -> "network controller";
      case 0x03 -> "display controller";
      case 0x04 -> "multimedia device";
      case 0x05 -> "memory controller";
      case 0x06 -> "bridge";
      case 0x07 -> "communication controller";
      case 0x08 -> "system peripheral";
      case 0x0b -> "processor";
      case 0x0c -> "serial bus controller";
      case 0x0d -> "wireless controller";
      case 0x10 -> "encryption controller";
      case 0x11 -> "signal processing controller";
      case 0x12 -> "processing accelerator";
      default -> String.format("class 0x%02x", base);
    };
  }
}
