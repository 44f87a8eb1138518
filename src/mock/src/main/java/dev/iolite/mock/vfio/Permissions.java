package dev.iolite.mock.vfio;

import dev.iolite.pci.PciRegs;

/**
 * For each bit of a capability, whether the user sees the hardware's or VFIO's value and whether it
 * can be written (struct perm_bits, drivers/vfio/pci/vfio_pci_config.c).
 */
final class Permissions {
  /** PCI_PM_CAP_PME_MASK: the states from which PME can be sent. */
  static final int PMC_PME = 0xf800;

  private static final int ALL = -1;
  private static final int BASIC_ID = 0;
  private static final int EXP_DEVCTL_PAYLOAD = 0xe0;
  private static final int EXP_DEVCTL_PHANTOM = 0x200;
  private static final int EXP_DEVCTL2 = 0x28;
  private static final int EXP_DEVCTL2_ARI = 0x20;
  private static final int EXP_BYTES = 0x34;

  private static final int EXP_DEVCTL_READ_REQUEST = 0x7000;

  private static final Permissions BASIC = basic();
  private static final Permissions PM = pm();
  private static final Permissions EXPRESS = express();

  private final byte[] virtual;
  private final byte[] writable;

  private Permissions(int bytes) {
    virtual = new byte[(bytes + 3) & -4];
    writable = new byte[(bytes + 3) & -4];
  }

  private Permissions set(int at, int width, int virtualBits, int writableBits) {
    for (int i = 0; i < width; i++) {
      virtual[at + i] = (byte) (virtualBits >>> (i * Byte.SIZE));
      writable[at + i] = (byte) (writableBits >>> (i * Byte.SIZE));
    }
    return this;
  }

  int virtual(int at, int width) {
    return get(virtual, at, width);
  }

  int writable(int at, int width) {
    return get(writable, at, width);
  }

  private static int get(byte[] bits, int at, int width) {
    int value = 0;
    for (int i = 0; i < width && at + i < bits.length; i++) {
      value |= Byte.toUnsignedInt(bits[at + i]) << (i * Byte.SIZE);
    }
    return value;
  }

  /** Whether a standard capability has such bits; the others are shown unchanged. */
  static boolean isMasked(int id) {
    return switch (id) {
      case BASIC_ID, PciRegs.CAP_PM, PciRegs.CAP_MSI, PciRegs.CAP_EXPRESS -> true;
      default -> false;
    };
  }

  /** The permissions for a standard capability other than MSI. */
  static Permissions of(int id) {
    return switch (id) {
      case PciRegs.CAP_PM -> PM;
      case PciRegs.CAP_EXPRESS -> EXPRESS;
      default -> BASIC;
    };
  }

  /** init_pci_cap_basic_perm. */
  private static Permissions basic() {
    Permissions bits =
        new Permissions(PciRegs.HEADER_BYTES)
            .set(PciRegs.VENDOR, 2, ALL, 0)
            .set(PciRegs.DEVICE, 2, ALL, 0)
            .set(PciRegs.COMMAND, 2, PciRegs.COMMAND_INTX_DISABLE, ALL)
            .set(PciRegs.STATUS, 2, PciRegs.STATUS_CAPABILITIES, 0)
            .set(PciRegs.CACHE_LINE, 1, 0, ALL)
            .set(PciRegs.LATENCY, 1, 0, ALL)
            .set(PciRegs.BIST, 1, 0, ALL)
            .set(PciRegs.ROM, 4, ALL, ALL)
            .set(PciRegs.CAPABILITIES, 1, ALL, 0)
            .set(PciRegs.INTERRUPT_LINE, 1, ALL, ALL)
            .set(PciRegs.INTERRUPT_PIN, 1, ALL, 0);
    for (int bar = 0; bar < 6; bar++) {
      bits.set(PciRegs.BAR + 4 * bar, 4, ALL, ALL);
    }
    return bits;
  }

  /** init_pci_cap_pm_perm. */
  private static Permissions pm() {
    int pme = PciRegs.PM_CTRL_PME_ENABLE | PciRegs.PM_CTRL_PME_STATUS;
    return new Permissions(8)
        .set(1, 1, ALL, 0)
        .set(PciRegs.PM_PMC, 2, PMC_PME, 0)
        .set(PciRegs.PM_CTRL, 4, pme, ~(pme | PciRegs.PM_CTRL_STATE));
  }

  /** init_pci_cap_exp_perm. */
  private static Permissions express() {
    return new Permissions(EXP_BYTES)
        .set(1, 1, ALL, 0)
        .set(
            PciRegs.EXP_DEVCTL,
            2,
            PciRegs.EXP_DEVCTL_FLR | EXP_DEVCTL_PAYLOAD | EXP_DEVCTL_READ_REQUEST,
            ~EXP_DEVCTL_PHANTOM)
        .set(EXP_DEVCTL2, 2, 0, ~EXP_DEVCTL2_ARI);
  }

  /** init_pci_cap_msi_perm. */
  static Permissions msi(int flags) {
    boolean wide = (flags & PciRegs.MSI_64) != 0;
    int data = wide ? 12 : 8;
    Permissions bits =
        new Permissions(24)
            .set(1, 1, ALL, 0)
            .set(PciRegs.MSI_FLAGS, 1, ALL, ALL)
            .set(4, 4, ALL, ALL)
            .set(data, 2, ALL, ALL);
    if (wide) {
      bits.set(8, 4, ALL, ALL);
    }
    if ((flags & PciRegs.MSI_MASKABLE) != 0) {
      bits.set(data + 4, 4, 0, ALL).set(data + 8, 4, 0, ALL);
    }
    return bits;
  }
}
