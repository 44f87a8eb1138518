package dev.iolite.pci;

/**
 * Registers of PCI configuration space, from the PCI and PCI Express specifications.
 *
 * <p>Safe for use by several threads.
 */
public final class PciRegs {
  public static final int VENDOR = 0x00;
  public static final int DEVICE = 0x02;
  public static final int COMMAND = 0x04;
  public static final int COMMAND_IO = 1;
  public static final int COMMAND_MEMORY = 1 << 1;
  public static final int COMMAND_MASTER = 1 << 2;
  public static final int COMMAND_SERR = 1 << 8;
  public static final int COMMAND_INTX_DISABLE = 1 << 10;
  public static final int STATUS = 0x06;
  public static final int STATUS_INTERRUPT = 1 << 3;
  public static final int STATUS_CAPABILITIES = 1 << 4;
  public static final int REVISION = 0x08;
  public static final int CACHE_LINE = 0x0c;
  public static final int LATENCY = 0x0d;
  public static final int HEADER_TYPE = 0x0e;

  /** Header type: the layout of the header, without the bit for several functions. */
  public static final int HEADER_TYPE_MASK = 0x7f;

  public static final int BIST = 0x0f;

  /** Self test: the function has one. */
  public static final int BIST_CAPABLE = 1 << 7;

  /** Self test: starts it; reads as 0 once it has ended. */
  public static final int BIST_START = 1 << 6;

  /** BAR 0; the others follow. */
  public static final int BAR = 0x10;

  /** A bridge's bus numbers. */
  public static final int BRIDGE_BUSES = 0x18;

  /** The board's vendor id, 16 bits; its device id follows. */
  public static final int SUBSYSTEM = 0x2c;

  public static final int ROM = 0x30;

  /** Where the list of capabilities starts, 8 bits. */
  public static final int CAPABILITIES = 0x34;

  /** Where the list of capabilities of a CardBus bridge starts, 8 bits. */
  public static final int CARDBUS_CAPABILITIES = 0x14;

  public static final int INTERRUPT_LINE = 0x3c;
  public static final int INTERRUPT_PIN = 0x3d;
  public static final int HEADER_BYTES = 0x40;

  /** The size of configuration space without PCI Express, in bytes. */
  public static final int CONVENTIONAL_BYTES = 0x100;

  /** The size of configuration space with PCI Express, in bytes. */
  public static final int EXTENDED_BYTES = 0x1000;

  public static final int BAR_IO = 1;
  public static final int BAR_64 = 4;

  /** The bits of a BAR that give the width of its memory address. */
  public static final int BAR_WIDTH = 6;

  /** The bits of a memory BAR that are not part of the address. */
  public static final int BAR_FLAGS = 0xf;

  public static final int BAR_PREFETCHABLE = 8;
  public static final int ROM_ENABLE = 1;
  public static final int CAP_PM = 0x01;
  public static final int CAP_MSI = 0x05;
  public static final int CAP_EXPRESS = 0x10;
  public static final int CAP_MSIX = 0x11;

  /** Capability: Advanced Features. */
  public static final int CAP_AF = 0x13;

  /** Extended capability: Integrity and Data Encryption. */
  public static final int ECAP_IDE = 0x30;

  /** Power management: what is supported, 16 bits. */
  public static final int PM_PMC = 2;

  /** Power management: control and status, 16 bits. */
  public static final int PM_CTRL = 4;

  public static final int PM_CTRL_STATE = 3;

  /** Power management control: no reset from D3hot to D0. */
  public static final int PM_CTRL_NO_SOFT_RESET = 1 << 3;

  public static final int PM_CTRL_PME_ENABLE = 1 << 8;
  public static final int PM_CTRL_PME_STATUS = 1 << 15;
  public static final int MSI_FLAGS = 2;
  public static final int MSI_ENABLE = 1;
  public static final int MSI_64 = 1 << 7;
  public static final int MSI_MASKABLE = 1 << 8;
  public static final int MSIX_FLAGS = 2;

  /** MSI-X: where the table is, 32 bits; the pending bits follow. */
  public static final int MSIX_TABLE = 4;

  public static final int MSIX_ENABLE = 1 << 15;
  public static final int MSIX_MASK_ALL = 1 << 14;
  public static final int EXP_DEVCAP = 4;
  public static final int EXP_DEVCAP_FLR = 1 << 28;
  public static final int EXP_DEVCAP_EXT_TAG = 1 << 5;
  public static final int EXP_DEVCAP_TEE = 1 << 30;
  public static final int EXP_DEVCTL = 8;
  public static final int EXP_DEVCTL_EXT_TAG = 1 << 8;
  public static final int EXP_DEVCTL_PHANTOM = 1 << 9;
  public static final int EXP_DEVCTL_FLR = 1 << 15;
  public static final int ATS_CTRL = 6;
  public static final int SRIOV_CTRL = 8;
  public static final int SRIOV_CTRL_ENABLE = 1;
  public static final int SRIOV_CTRL_MEMORY = 1 << 3;
  public static final int SRIOV_NUM_VF = 0x10;

  /** SR-IOV: the page sizes that VFs can have, and the one that they have, 32 bits each. */
  public static final int SRIOV_PAGE_SIZES = 0x1c;

  public static final int SRIOV_PAGE_SIZE = 0x20;
  public static final int PRI_CTRL = 4;
  public static final int PRI_ENABLE = 1;

  /** PRI: how many page requests may be outstanding, 32 bits. */
  public static final int PRI_ALLOCATION = 0xc;

  public static final int PASID_CTRL = 6;
  public static final int PASID_ENABLE = 1;
  public static final int AF_CTRL = 4;
  public static final int AF_CTRL_FLR = 1;

  private PciRegs() {}
}
