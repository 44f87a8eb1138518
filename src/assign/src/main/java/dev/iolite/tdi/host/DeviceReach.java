package dev.iolite.tdi.host;

import dev.iolite.pci.ConfigSpace;
import dev.iolite.pci.PciRegs;
import dev.iolite.vfio.Region;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.OptionalInt;

/**
 * Whether a device answers at its memory BARs, and which writes to its config space stop that, for
 * a moment or for good. At each of them, the kernel revokes the device's dma-bufs
 * (drivers/vfio/pci/vfio_pci_config.c), without reporting it: an IOAS map of one is dead from then
 * on, even if the device answers again at once, as after a function-level reset.
 */
public final class DeviceReach {
  private static final int D3_HOT = 3;

  /** The byte of PCI Express device control that starts an FLR, and its bit there. */
  private static final int DEVICE_CONTROL_HIGH = PciRegs.EXP_DEVCTL + 1;

  private static final int START_RESET = PciRegs.EXP_DEVCTL_FLR >> Byte.SIZE;

  private final Region config;
  private final OptionalInt powerControl;
  private final OptionalInt resetControl;
  private final OptionalInt advancedControl;
  private boolean asleep;

  private DeviceReach(Region config, ConfigSpace now) {
    this.config = config;
    powerControl = register(now, PciRegs.CAP_PM, PciRegs.PM_CTRL);
    resetControl =
        register(now, PciRegs.CAP_EXPRESS, PciRegs.EXP_DEVCAP).stream()
            .filter(at -> (now.read32(at) & PciRegs.EXP_DEVCAP_FLR) != 0)
            .map(at -> at - PciRegs.EXP_DEVCAP + DEVICE_CONTROL_HIGH)
            .findFirst();
    advancedControl = register(now, PciRegs.CAP_AF, PciRegs.AF_CTRL);
  }

  /** Looks for the registers that matter; a device's set of them does not change. */
  static DeviceReach of(Region config) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment now = config.read(arena.allocate(PciRegs.CONVENTIONAL_BYTES), 0);
      return new DeviceReach(config, new ConfigSpace(now.toArray(ValueLayout.JAVA_BYTE)));
    }
  }

  /** A register of 32 bits or less of a standard capability, if all of it is there. */
  private static OptionalInt register(ConfigSpace now, int id, int offset) {
    return now.capabilities().stream()
        .filter(capability -> capability.id() == id && !capability.extended())
        .mapToInt(capability -> capability.offset() + offset)
        .filter(at -> at <= now.size() - Integer.BYTES)
        .findFirst();
  }

  /**
   * Whether the device answers at its memory BARs: memory decode is on, it is not in D3hot, and the
   * kernel may not suspend it.
   */
  public boolean answers() {
    if (asleep) {
      return false;
    }
    boolean sleeps =
        powerControl.isPresent()
            && (config.read8(powerControl.getAsInt()) & PciRegs.PM_CTRL_STATE) == D3_HOT;
    return !sleeps && (config.read16(PciRegs.COMMAND) & PciRegs.COMMAND_MEMORY) != 0;
  }

  /** Whether the kernel may suspend the device, which config space does not show. */
  public boolean isAsleep() {
    return asleep;
  }

  public void setAsleep(boolean sleeps) {
    asleep = sleeps;
  }

  /**
   * Whether the kernel revokes the device's dma-bufs at a write.
   *
   * @param bytes 1, 2 or 4
   */
  boolean revokes(int offset, int bytes, int value) {
    Write write = new Write(offset, bytes, value);
    return (write.hits(PciRegs.COMMAND)
            && (write.at(PciRegs.COMMAND) & PciRegs.COMMAND_MEMORY) == 0)
        || powerControl.stream()
            .anyMatch(at -> write.hits(at) && (write.at(at) & PciRegs.PM_CTRL_STATE) == D3_HOT)
        || resetControl.stream().anyMatch(at -> write.hits(at) && (write.at(at) & START_RESET) != 0)
        || advancedControl.stream()
            .anyMatch(at -> write.hits(at) && (write.at(at) & PciRegs.AF_CTRL_FLR) != 0);
  }

  /** For example {@code memory decode, power state, function-level reset}. */
  @Override
  public String toString() {
    return "memory decode"
        + (powerControl.isPresent() ? ", power state" : "")
        + (resetControl.isPresent() || advancedControl.isPresent() ? ", function-level reset" : "");
  }

  /** Some bytes of config space, as they are to be written. */
  private record Write(int offset, int bytes, int value) {
    boolean hits(int register) {
      return register >= offset && register < offset + bytes;
    }

    int at(int register) {
      return value >>> ((register - offset) * Byte.SIZE);
    }
  }
}
