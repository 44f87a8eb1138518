package dev.iolite.mock.vfio;

import dev.iolite.mock.pci.PciFunction;
import dev.iolite.pci.PciRegs;

/**
 * The lengths of capabilities as VFIO knows them
 * (drivers/vfio/pci/vfio_pci_config.c:pci_cap_length, pci_ext_cap_length, vfio_cap_len and
 * vfio_ext_cap_len). A length of 0 hides the capability from the user.
 */
final class CapabilityLengths {
  private static final int EXPRESS_INTEGRATED_ENDPOINT = 9;
  private static final int ACS_EGRESS_CONTROL = 1 << 5;
  private static final int EGRESS_BITS = 32;
  private static final int MOST_EGRESS_BITS = 256;
  private static final int TPH_TABLE_IN_CAPABILITY = 1 << 9;
  private static final int TPH_TABLE = 3 << 9;

  private final PciFunction function;

  CapabilityLengths(PciFunction function) {
    this.function = function;
  }

  /** The length of a capability. */
  int standard(int id, int at) {
    int length =
        switch (id) {
          case PciRegs.CAP_PM, 0x03 -> 8; // Power Management, VPD
          case 0x02, PciRegs.CAP_MSIX -> 12; // AGP
          case PciRegs.CAP_MSI -> msi(at);
          case 0x07 -> (function.configRead(at + 2, 2) >> 12 & 3) == 0 ? 8 : 24; // PCI-X
          case 0x08 -> (function.configRead(at + 3, 1) & 0xe0) != 0 ? 24 : 28; // HyperTransport
          case 0x09 -> function.configRead(at + 2, 1); // Vendor-Specific
          case PciRegs.CAP_EXPRESS -> express(at);
          case 0x12 -> (function.configRead(at + 4, 1) & 0xf) == 0xf ? 16 : 8; // SATA
          case PciRegs.CAP_AF -> 6;
          default -> 0;
        };
    return at + length > PciRegs.CONVENTIONAL_BYTES ? 0 : length;
  }

  private int msi(int at) {
    int flags = function.configRead(at + PciRegs.MSI_FLAGS, 2);
    return 10
        + ((flags & PciRegs.MSI_64) != 0 ? 4 : 0)
        + ((flags & PciRegs.MSI_MASKABLE) != 0 ? 10 : 0);
  }

  /** Without the registers of a link, for an endpoint that is integrated into the root complex. */
  private int express(int at) {
    int flags = function.configRead(at + 2, 2);
    boolean isIntegrated = (flags >> 4 & 0xf) == EXPRESS_INTEGRATED_ENDPOINT;
    if ((flags & 0xf) == 1) {
      return isIntegrated ? 0xc : 20;
    }
    return isIntegrated ? 0x2c : 0x34;
  }

  /** The length of an extended capability. */
  int extended(int id, int at) {
    int length =
        switch (id) {
          case 0x01 -> 0x2c; // Advanced Error Reporting
          case 0x02, 0x08, 0x09 -> virtualChannels(at);
          case 0x03 -> 12; // Device Serial Number
          case 0x04, 0x13 -> 0x10; // Power Budgeting, Page Request Interface
          case 0x0b -> function.configRead(at + 4, 4) >>> 20; // Vendor-Specific
          case 0x0d -> accessControl(at);
          case 0x0e, 0x0f, 0x18 -> 8; // ARI, ATS, Latency Tolerance Reporting
          case 0x10 -> 0x40; // SR-IOV
          case 0x12 -> 40; // Multicast
          case 0x15 -> 4 + 8 * (function.configRead(at + 8, 1) >> 5 & 7); // Resizable BAR
          case 0x16 -> 17 + (function.configRead(at + 4, 1) & 0x1f); // Dynamic Power Allocation
          case 0x17 -> processingHints(at);
          case 0x23 -> function.configRead(at + 4, 4) >>> 20; // Designated Vendor-Specific
          default -> 0;
        };
    return at + length > function.configBytes() ? 0 : length;
  }

  /** vfio_vc_cap_len. */
  private int virtualChannels(int at) {
    int more = function.configRead(at + 4, 4) & 7;
    int able = function.configRead(at + 8, 4);
    int length = 0x10 + (1 + more) * 0xc;
    int phases = (able & 8) != 0 ? 128 : (able & 4) != 0 ? 64 : (able & 2) != 0 ? 32 : 0;
    return phases == 0 ? length : (length + 15 & -16) + phases * 4 / Byte.SIZE;
  }

  private int accessControl(int at) {
    if ((function.configRead(at + 4, 1) & ACS_EGRESS_CONTROL) == 0) {
      return 8;
    }
    int bits = function.configRead(at + 5, 1);
    int rounded = bits == 0 ? MOST_EGRESS_BITS : bits + EGRESS_BITS - 1 & -EGRESS_BITS;
    return 8 + rounded / Byte.SIZE;
  }

  /** The capability's registers, and its steering table if that is not in MSI-X. */
  private int processingHints(int at) {
    int able = function.configRead(at + 4, 4);
    return (able & TPH_TABLE) == TPH_TABLE_IN_CAPABILITY ? 0xc + (able >> 16 & 0x7ff) * 2 + 2 : 0xc;
  }
}
