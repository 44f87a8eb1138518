package dev.iolite.tdi.host;

import dev.iolite.vfio.Region;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.OptionalInt;

/**
 * Whether a device answers at its memory BARs, and which writes to its config space take that away,
 * for a moment or for good. At each of them the kernel revokes the device's dma-bufs
 * (drivers/vfio/pci/vfio_pci_config.c), and says nothing of it: an IOAS map of one is dead from
 * then on, even if the device answers again at once, as after a function-level reset.
 */
public final class DeviceReach {
  private static final int COMMAND = 0x04;
  private static final int DECODE = 1 << 1;
  private static final int STATUS = 0x06;
  private static final int HAS_CAPABILITIES = 1 << 4;
  private static final int CAPABILITIES = 0x34;
  private static final int FIRST_CAPABILITY = 0x40;

  /** Of a capability as long as those looked for. */
  private static final int LAST_CAPABILITY = 0xf0;

  private static final int MOST_CAPABILITIES = 48;

  private static final int POWER = 0x01;
  private static final int POWER_CONTROL = 4;
  private static final int POWER_STATE = 3;
  private static final int D3_HOT = 3;

  private static final int EXPRESS = 0x10;
  private static final int DEVICE_CAPABILITIES = 4;
  private static final int CAN_RESET = 1 << 28;
  private static final int DEVICE_CONTROL_HIGH = 9;
  private static final int START_RESET = 1 << 7;

  private static final int ADVANCED = 0x13;
  private static final int ADVANCED_CONTROL = 4;
  private static final int START_ADVANCED_RESET = 1;

  private static final int CONFIG_BYTES = 256;
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Region config;
  private final OptionalInt powerControl;
  private final OptionalInt resetControl;
  private final OptionalInt advancedControl;
  private boolean asleep;

  private DeviceReach(Region config, MemorySegment now) {
    this.config = config;
    powerControl = register(now, POWER, POWER_CONTROL);
    resetControl =
        capability(now, EXPRESS).stream()
            .filter(at -> (now.get(INT, at + DEVICE_CAPABILITIES) & CAN_RESET) != 0)
            .map(at -> at + DEVICE_CONTROL_HIGH)
            .findFirst();
    advancedControl = register(now, ADVANCED, ADVANCED_CONTROL);
  }

  /** Looks for the registers that matter; which a device has does not change. */
  static DeviceReach of(Region config) {
    try (Arena arena = Arena.ofConfined()) {
      return new DeviceReach(config, config.read(arena.allocate(CONFIG_BYTES), 0));
    }
  }

  private static OptionalInt register(MemorySegment now, int id, int offset) {
    return capability(now, id).stream().map(at -> at + offset).findFirst();
  }

  /** A list that leads in circles ends somewhere too. */
  private static OptionalInt capability(MemorySegment now, int id) {
    int at = byteAt(now, STATUS) & HAS_CAPABILITIES;
    for (int seen = 0, next = CAPABILITIES; at != 0 && seen < MOST_CAPABILITIES; seen++) {
      at = byteAt(now, next) & ~3;
      if (at >= FIRST_CAPABILITY && at <= LAST_CAPABILITY && byteAt(now, at) == id) {
        return OptionalInt.of(at);
      }
      next = at + 1;
    }
    return OptionalInt.empty();
  }

  private static int byteAt(MemorySegment now, int offset) {
    return Byte.toUnsignedInt(now.get(ValueLayout.JAVA_BYTE, offset));
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
        powerControl.isPresent() && (config.read8(powerControl.getAsInt()) & POWER_STATE) == D3_HOT;
    return !sleeps && (config.read16(COMMAND) & DECODE) != 0;
  }

  /** Whether the kernel may suspend the device, which config space does not tell. */
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
    return (write.hits(COMMAND) && (write.at(COMMAND) & DECODE) == 0)
        || powerControl.stream()
            .anyMatch(at -> write.hits(at) && (write.at(at) & POWER_STATE) == D3_HOT)
        || resetControl.stream().anyMatch(at -> write.hits(at) && (write.at(at) & START_RESET) != 0)
        || advancedControl.stream()
            .anyMatch(at -> write.hits(at) && (write.at(at) & START_ADVANCED_RESET) != 0);
  }

  /** For example {@code memory decode, power state, function-level reset}. */
  @Override
  public String toString() {
    return "memory decode"
        + (powerControl.isPresent() ? ", power state" : "")
        + (resetControl.isPresent() || advancedControl.isPresent() ? ", function-level reset" : "");
  }

  /** Some bytes of config space, as they are to be. */
  private record Write(int offset, int bytes, int value) {
    boolean hits(int register) {
      return register >= offset && register < offset + bytes;
    }

    int at(int register) {
      return value >>> ((register - offset) * Byte.SIZE);
    }
  }
}
