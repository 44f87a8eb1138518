package dev.iolite.tdi.guest;

import dev.iolite.kvm.Exit;

/**
 * The ports through which a PC's guest reaches config space (configuration mechanism 1): an address
 * at 0xcf8, data at 0xcfc. Only the assigned device is there; all others read as all ones.
 */
public final class ConfigPorts {
  static final int ADDRESS = 0xcf8;
  static final int DATA = 0xcfc;
  private static final int ENABLE = 1 << 31;
  private static final int DEVICE_SHIFT = 8;
  private static final int DEVICE_MASK = 0xffff;
  private static final int OFFSET_MASK = 0xfc;
  private static final int NOBODY = -1;

  private final long virtualBdf;
  private final ConfigSpace device;
  private int address;

  /** Config space of the assigned device, as its guest reads and writes it. */
  public interface ConfigSpace {
    /** Reads this many bytes: 1, 2 or 4. */
    int read(int offset, int bytes);

    /** Writes this many bytes: 1, 2 or 4. */
    void write(int offset, int bytes, int value);
  }

  /**
   * The ports of a guest.
   *
   * @param virtualBdf the guest's number for the device
   */
  public ConfigPorts(long virtualBdf, ConfigSpace device) {
    this.virtualBdf = virtualBdf;
    this.device = device;
  }

  /** What to write to {@link #ADDRESS} for a register of a device. */
  static int select(long virtualBdf, int offset) {
    return ENABLE | ((int) virtualBdf << DEVICE_SHIFT) | (offset & OFFSET_MASK);
  }

  /** Whether the exit was an access to these ports, and was answered. */
  public boolean serve(Exit exit) {
    return switch (exit) {
      case Exit.IoOut out when out.port() == ADDRESS && out.size() == Integer.BYTES -> {
        address = out.value();
        yield true;
      }
      case Exit.IoIn in when in.port() == ADDRESS && in.size() == Integer.BYTES -> {
        in.respond(address);
        yield true;
      }
      case Exit.IoOut out when isData(out.port(), out.size()) -> {
        if (isAssigned()) {
          device.write(offset(out.port()), out.size(), out.value());
        }
        yield true;
      }
      case Exit.IoIn in when isData(in.port(), in.size()) -> {
        in.respond(isAssigned() ? device.read(offset(in.port()), in.size()) : NOBODY);
        yield true;
      }
      default -> false;
    };
  }

  private static boolean isData(int port, int bytes) {
    return port >= DATA && port + bytes <= DATA + Integer.BYTES;
  }

  private boolean isAssigned() {
    return (address & ENABLE) != 0 && (address >>> DEVICE_SHIFT & DEVICE_MASK) == virtualBdf;
  }

  private int offset(int port) {
    return (address & OFFSET_MASK) + port - DATA;
  }
}
