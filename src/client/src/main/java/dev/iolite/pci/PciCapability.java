package dev.iolite.pci;

/**
 * An entry of the capability lists in configuration space.
 *
 * @param id its number; standard and extended ones are numbered separately
 * @param offset where it is in configuration space, in bytes
 * @param extended whether it is in the extended list, from 0x100
 */
public record PciCapability(int id, int offset, boolean extended) {
  /** Its name if it matters here, else its number. */
  public String name() {
    return extended ? extendedName() : standardName();
  }

  private String standardName() {
    return switch (id) {
      case 0x01 -> "Power Management";
      case 0x05 -> "MSI";
      case 0x09 -> "Vendor Specific";
      case 0x0d -> "Bridge Subsystem";
      case 0x10 -> "PCI Express";
      case 0x11 -> "MSI-X";
      case 0x13 -> "Advanced Features";
      default -> String.format("capability 0x%02x", id);
    };
  }

  private String extendedName() {
    return switch (id) {
      case 0x01 -> "Advanced Error Reporting";
      case 0x03 -> "Device Serial Number";
      case 0x0d -> "Access Control Services";
      case 0x0e -> "Alternative Routing-ID";
      case 0x0f -> "Address Translation Service";
      case 0x10 -> "SR-IOV";
      case 0x13 -> "Page Request Interface";
      case 0x15 -> "Resizable BAR";
      case 0x1b -> "PASID";
      case 0x23 -> "DVSEC";
      case 0x2e -> "Data Object Exchange";
      case 0x30 -> "Integrity and Data Encryption";
      default -> String.format("extended capability 0x%04x", id);
    };
  }
}
