package dev.iolite.mock.pci;

import dev.iolite.mock.device.ConfigImage;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.device.ExtendedCapability;
import dev.iolite.pci.PciRegs;

/**
 * Makes a function's configuration space from a recorded one. Only registers that the
 * specifications let software write can be written; all others keep what was recorded. At power-on,
 * the function decodes nothing and sends no messages, whatever it did when it was recorded.
 */
final class RecordedConfig {
  private static final int COMMAND_BITS = 0x7ff;
  private static final int MSI_CONTROL = 0x71;
  private static final int EXP_DEVCTL_WRITABLE = 0x7fff;
  private static final int EXP_DEVCTL2 = 0x28;
  private static final int ATS_WRITABLE = 0x801f;
  private static final int SRIOV_WRITABLE = 0x1f;
  private static final int PASID_WRITABLE = 7;
  private static final int BRIDGE_BUS_BYTES = 3;

  private final FunctionConfig space;
  private final ConfigImage image;

  private RecordedConfig(FunctionConfig space, ConfigImage image) {
    this.space = space;
    this.image = image;
  }

  /**
   * Defines all registers.
   *
   * @param space of the image's size
   */
  static void define(FunctionConfig space, DeviceShape shape, ConfigImage image) {
    for (int at = 0; at < image.size(); at++) {
      space.define(at, 1, image.read(at, 1), 0);
    }
    if (image.answers()) {
      RecordedConfig config = new RecordedConfig(space, image);
      config.header(shape);
      config.capabilities();
      config.extended();
    }
  }

  private void header(DeviceShape shape) {
    int command = image.read(PciRegs.COMMAND, 2);
    space.define(PciRegs.COMMAND, 2, 0, ConfigLayout.COMMAND_WRITABLE | (command & COMMAND_BITS));
    writable(PciRegs.CACHE_LINE, 1, 0xff);
    writable(PciRegs.LATENCY, 1, 0xff);
    writable(PciRegs.BIST, 1, image.read(PciRegs.BIST, 1) >> 1 & PciRegs.BIST_START);
    if (shape.secondaryBus().isPresent()) {
      writable(PciRegs.BRIDGE_BUSES, BRIDGE_BUS_BYTES, 0xff_ffff);
    } else {
      ConfigLayout.defineRom(space, shape);
    }
    // A VF's ids are ones and its BARs zeros: its PF has them (SR-IOV specification, 3.4.1).
    if (image.read(PciRegs.VENDOR, 2) != 0xffff) {
      shape.bars().forEach(bar -> ConfigLayout.define(space, bar));
    }
    writable(PciRegs.INTERRUPT_LINE, 1, 0xff);
  }

  private void capabilities() {
    image
        .capability(PciRegs.CAP_PM)
        .ifPresent(pm -> {
          int control = image.read(pm + PciRegs.PM_CTRL, 2) & ~PciRegs.PM_CTRL_STATE;
          space.define(
              pm + PciRegs.PM_CTRL, 2, control, PciRegs.PM_CTRL_STATE | PciRegs.PM_CTRL_PME_ENABLE);
        });
    image.capability(PciRegs.CAP_MSI).ifPresent(this::msi);
    image
        .capability(PciRegs.CAP_MSIX)
        .ifPresent(msiX -> {
          int control = PciRegs.MSIX_ENABLE | PciRegs.MSIX_MASK_ALL;
          space.define(
              msiX + PciRegs.MSIX_FLAGS,
              2,
              image.read(msiX + PciRegs.MSIX_FLAGS, 2) & ~control,
              control);
        });
    image
        .capability(PciRegs.CAP_EXPRESS)
        .ifPresent(express -> {
          writable(express + PciRegs.EXP_DEVCTL, 2, EXP_DEVCTL_WRITABLE);
          writable(express + EXP_DEVCTL2, 2, 0xffff);
        });
  }

  private void msi(int msi) {
    int flags = image.read(msi + PciRegs.MSI_FLAGS, 2);
    space.define(msi + PciRegs.MSI_FLAGS, 2, flags & ~MSI_CONTROL, MSI_CONTROL);
    boolean wide = (flags & PciRegs.MSI_64) != 0;
    int data = msi + (wide ? 12 : 8);
    space.define(msi + 4, 4, 0, 0xffff_fffcL);
    if (wide) {
      space.define(msi + 8, 4, 0, 0xffff_ffffL);
    }
    space.define(data, 2, 0, 0xffff);
    if ((flags & PciRegs.MSI_MASKABLE) != 0) {
      space.define(data + 4, 4, 0, 0xffff_ffffL);
    }
  }

  private void extended() {
    image
        .extended(ExtendedCapability.ATS.id())
        .ifPresent(at -> writable(at + PciRegs.ATS_CTRL, 2, ATS_WRITABLE));
    image
        .extended(ExtendedCapability.SRIOV.id())
        .ifPresent(at -> {
          space.define(at + PciRegs.SRIOV_CTRL, 2, 0, SRIOV_WRITABLE);
          space.define(at + PciRegs.SRIOV_NUM_VF, 2, 0, 0xffff);
          writable(at + PciRegs.SRIOV_PAGE_SIZE, 4, 0xffff_ffffL);
        });
    image
        .extended(ExtendedCapability.PRI.id())
        .ifPresent(at -> {
          writable(at + PciRegs.PRI_CTRL, 2, PciRegs.PRI_ENABLE);
          writable(at + PciRegs.PRI_ALLOCATION, 4, 0xffff_ffffL);
        });
    image
        .extended(ExtendedCapability.PASID.id())
        .ifPresent(at -> writable(at + PciRegs.PASID_CTRL, 2, PASID_WRITABLE));
  }

  /** Lets bits be written, of a register that keeps its value at power-on. */
  private void writable(int at, int width, long bits) {
    space.define(at, width, Integer.toUnsignedLong(image.read(at, width)), bits);
  }
}
