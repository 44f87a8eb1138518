package dev.iolite.mock.vfio;

import dev.iolite.mock.pci.IoResource;
import dev.iolite.mock.pci.PciDev;
import dev.iolite.mock.pci.PciFunction;
import dev.iolite.pci.PciRegs;

/** The side effects of writes to configuration space (drivers/vfio/pci/vfio_pci_config.c). */
final class ConfigWrites {
  private static final int BARS = 6;
  private static final int BASIC = 0;
  private static final int QUEUE_SIZE_SHIFT = 4;
  private static final int QUEUE_SIZE_MASK = 7;

  private final VfioPciCore core;
  private final VirtualConfig config;
  private final ConfigMap map;
  private final PciFunction function;

  /** What the BARs and the ROM held when the device was opened (rbar). */
  private final int[] opened = new int[BARS + 1];

  private boolean barsWritten = true;

  ConfigWrites(VfioPciCore core, VirtualConfig config, ConfigMap map) {
    this.core = core;
    this.config = config;
    this.map = map;
    function = core.pci().function();
    for (int i = 0; i < BARS; i++) {
      opened[i] = config.shadow(PciRegs.BAR + 4 * i, 4);
    }
    opened[BARS] = config.shadow(PciRegs.ROM, 4);
  }

  private static boolean isBar(int at) {
    return (at >= PciRegs.BAR && at < PciRegs.BAR + 4 * BARS)
        || (at >= PciRegs.ROM && at < PciRegs.ROM + 4);
  }

  /** vfio_basic_config_read: the BARs' shadow shows their sizes. */
  void beforeRead(int at) {
    if (map.standardId(at) == BASIC && isBar(at) && barsWritten) {
      fixBars();
      barsWritten = false;
    }
  }

  /** vfio_bar_fixup. */
  private void fixBars() {
    for (int i = 0; i < BARS; i++) {
      IoResource resource = core.pci().resource(i);
      int at = PciRegs.BAR + 4 * i;
      if (!resource.isPresent()) {
        config.setShadow(at, 4, 0);
        continue;
      }
      long mask = -resource.bytes();
      config.setShadow(at, 4, (config.shadow(at, 4) & (int) mask) | flags(resource));
      if (resource.is64Bit()) {
        i++;
        config.setShadow(at + 4, 4, config.shadow(at + 4, 4) & (int) (mask >>> 32));
      }
    }
    IoResource rom = core.pci().resource(PciDev.ROM);
    config.setShadow(
        PciRegs.ROM,
        4,
        rom.isPresent() ? config.shadow(PciRegs.ROM, 4) & (int) (-rom.bytes() | 1) : 0);
  }

  /** vfio_generate_bar_flags. */
  private static int flags(IoResource resource) {
    if (resource.isPorts()) {
      return PciRegs.BAR_IO;
    }
    return (resource.isPrefetchable() ? PciRegs.BAR_PREFETCHABLE : 0)
        | (resource.is64Bit() ? PciRegs.BAR_64 : 0);
  }

  /** Writes to a byte whose kind is MASKED. */
  void write(int at, int width, int value) {
    int offset = at - map.start(at);
    switch (map.standardId(at)) {
      case BASIC -> writeBasic(at, width, value);
      case PciRegs.CAP_PM -> {
        config.writeMasked(at, width, value);
        if (offset == PciRegs.PM_CTRL) {
          core.setPowerAndRevoke(value & PciRegs.PM_CTRL_STATE);
        }
      }
      case PciRegs.CAP_MSI -> writeMsi(at, width, value, offset);
      case PciRegs.CAP_EXPRESS -> writeExpress(at, width, value, offset);
      default -> config.writeMasked(at, width, value);
    }
  }

  /** vfio_basic_config_write. */
  private void writeBasic(int at, int width, int value) {
    if (at == PciRegs.COMMAND) {
      writeCommand(width, value);
    } else {
      config.writeMasked(at, width, value);
    }
    if (at == PciRegs.COMMAND || at == PciRegs.COMMAND + 1) {
      boolean disabled = (config.shadow(PciRegs.COMMAND, 2) & PciRegs.COMMAND_INTX_DISABLE) != 0;
      core.irqs().setIntxDisabled(disabled);
    }
    if (isBar(at)) {
      barsWritten = true;
    }
  }

  private void writeCommand(int width, int value) {
    int real = function.configRead(PciRegs.COMMAND, 2);
    int before = config.shadow(PciRegs.COMMAND, 2);
    if ((value & PciRegs.COMMAND_MEMORY) == 0) {
      core.dmaBufs().move(true);
    }
    boolean memoryLost = (value & before & ~real & PciRegs.COMMAND_MEMORY) != 0;
    boolean portsLost = (value & before & ~real & PciRegs.COMMAND_IO) != 0;
    if (memoryLost || portsLost || isBarLost()) {
      restoreBars();
    }
    config.writeMasked(PciRegs.COMMAND, width, value);
    int mask = PciRegs.COMMAND_MEMORY | PciRegs.COMMAND_IO;
    int shadow = config.shadow(PciRegs.COMMAND, 2);
    config.setShadow(PciRegs.COMMAND, 2, (shadow & ~mask) | (value & mask));
    core.restoreDmaBufs();
  }

  /** vfio_need_bar_restore: somebody has reset the function behind our back. */
  private boolean isBarLost() {
    for (int i = 0; i < BARS; i++) {
      if (opened[i] != 0 && function.configRead(PciRegs.BAR + 4 * i, 4) != opened[i]) {
        return true;
      }
    }
    return false;
  }

  /** vfio_bar_restore. */
  private void restoreBars() {
    for (int i = 0; i < BARS; i++) {
      function.configWrite(PciRegs.BAR + 4 * i, 4, opened[i]);
    }
    function.configWrite(PciRegs.ROM, 4, opened[BARS]);
  }

  /** vfio_msi_config_write: MSI is switched on by VFIO_DEVICE_SET_IRQS only. */
  private void writeMsi(int at, int width, int value, int offset) {
    config.writeMasked(at, width, value);
    if (offset > PciRegs.MSI_FLAGS || offset + width < PciRegs.MSI_FLAGS) {
      return;
    }
    int flagsAt = map.start(at) + PciRegs.MSI_FLAGS;
    int flags = config.shadow(flagsAt, 2);
    if (!core.irqs().isMsi()) {
      flags &= ~PciRegs.MSI_ENABLE;
    }
    int most = core.irqs().msiQueueSize();
    if (((flags >> QUEUE_SIZE_SHIFT) & QUEUE_SIZE_MASK) > most) {
      flags = (flags & ~(QUEUE_SIZE_MASK << QUEUE_SIZE_SHIFT)) | (most << QUEUE_SIZE_SHIFT);
    }
    config.setShadow(flagsAt, 2, flags);
    function.configWrite(flagsAt, 2, flags);
  }

  /** vfio_exp_config_write: an FLR is whatever reset the kernel chooses. */
  private void writeExpress(int at, int width, int value, int offset) {
    config.writeMasked(at, width, value);
    int control = map.start(at) + PciRegs.EXP_DEVCTL;
    int shadow = config.shadow(control, 2);
    if ((shadow & PciRegs.EXP_DEVCTL_FLR) == 0) {
      return;
    }
    config.setShadow(control, 2, shadow & ~PciRegs.EXP_DEVCTL_FLR);
    int capabilities = function.configRead(at - offset + PciRegs.EXP_DEVCAP, 4);
    if ((capabilities & PciRegs.EXP_DEVCAP_FLR) != 0) {
      core.resetRevoked(core.pci()::tryReset);
    }
  }
}
