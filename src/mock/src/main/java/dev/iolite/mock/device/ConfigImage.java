package dev.iolite.mock.device;

import dev.iolite.pci.PciRegs;
import java.util.Arrays;
import java.util.BitSet;
import java.util.OptionalInt;

/**
 * The configuration space of a function as it was read from a machine. It never changes.
 *
 * <p>A list of capabilities that leads outside of it, or back to an earlier entry, ends there.
 */
public final class ConfigImage {
  private static final int NEXT_SHIFT = 20;
  private static final int ID_BITS = 0xffff;
  private static final int NO_CAPABILITY = 0xff;

  /** The length of the Device Serial Number. */
  private static final int DSN_BYTES = 12;

  private final byte[] bytes;

  /**
   * Keeps a copy of the bytes.
   *
   * @throws IllegalArgumentException if there are not 256 or 4096
   */
  public ConfigImage(byte[] bytes) {
    if (bytes.length != PciRegs.CONVENTIONAL_BYTES && bytes.length != PciRegs.EXTENDED_BYTES) {
      throw new IllegalArgumentException(
          "configuration space has 256 or 4096 bytes, not " + bytes.length);
    }
    this.bytes = bytes.clone();
  }

  /** Its size in bytes. */
  public int size() {
    return bytes.length;
  }

  /**
   * Reads a register.
   *
   * @param width 1, 2 or 4
   */
  public int read(int offset, int width) {
    int value = 0;
    for (int i = 0; i < width; i++) {
      value |= Byte.toUnsignedInt(bytes[offset + i]) << (i * Byte.SIZE);
    }
    return value;
  }

  /** Whether the function answered: all ones mean that it was gone or without power. */
  public boolean answers() {
    for (int at = 0; at < PciRegs.HEADER_BYTES; at++) {
      if (bytes[at] != -1) {
        return true;
      }
    }
    return false;
  }

  /** The type of its header: 0 for an ordinary function, 1 for a bridge. */
  public int headerType() {
    return read(PciRegs.HEADER_TYPE, 1) & PciRegs.HEADER_TYPE_MASK;
  }

  /**
   * The offset of a capability; empty if it has none of that kind, or the first one does not fit.
   */
  public OptionalInt capability(int id) {
    if (!answers() || (read(PciRegs.STATUS, 2) & PciRegs.STATUS_CAPABILITIES) == 0) {
      return OptionalInt.empty();
    }
    BitSet seen = new BitSet();
    int at = read(PciRegs.CAPABILITIES, 1) & ~3;
    while (at >= PciRegs.HEADER_BYTES && !seen.get(at) && read(at, 1) != NO_CAPABILITY) {
      if (read(at, 1) == id) {
        boolean fits = at + bytes(id, at) <= PciRegs.CONVENTIONAL_BYTES;
        return fits ? OptionalInt.of(at) : OptionalInt.empty();
      }
      seen.set(at);
      at = read(at + 1, 1) & ~3;
    }
    return OptionalInt.empty();
  }

  /** How much of a capability is looked at. */
  private int bytes(int id, int at) {
    return switch (id) {
      case PciRegs.CAP_PM -> 8;
      case PciRegs.CAP_MSI -> {
        int flags = read(at + PciRegs.MSI_FLAGS, 2);
        yield 10
            + ((flags & PciRegs.MSI_64) != 0 ? 4 : 0)
            + ((flags & PciRegs.MSI_MASKABLE) != 0 ? 10 : 0);
      }
      case PciRegs.CAP_MSIX -> 12;
      case PciRegs.CAP_EXPRESS -> 0x2c;
      default -> 2;
    };
  }

  /**
   * The offset of an extended capability; empty if it has none of that kind, or the first one does
   * not fit.
   */
  public OptionalInt extended(int id) {
    BitSet seen = new BitSet();
    int at = PciRegs.CONVENTIONAL_BYTES;
    while (at >= PciRegs.CONVENTIONAL_BYTES && at < size() && !seen.get(at)) {
      int header = read(at, 4);
      if (header == 0 || header == -1) {
        return OptionalInt.empty();
      }
      if ((header & ID_BITS) == id) {
        return at + extendedBytes(id) <= size() ? OptionalInt.of(at) : OptionalInt.empty();
      }
      seen.set(at);
      at = header >>> NEXT_SHIFT & ~3;
    }
    return OptionalInt.empty();
  }

  private static int extendedBytes(int id) {
    return Arrays.stream(ExtendedCapability.values())
        .filter(capability -> capability.id() == id)
        .mapToInt(ExtendedCapability::bytes)
        .findFirst()
        .orElse(DSN_BYTES);
  }

  /**
   * A copy with zeros in place of a range.
   *
   * @throws IndexOutOfBoundsException if the range is not inside
   */
  public ConfigImage blanked(int offset, int count) {
    byte[] copy = bytes.clone();
    Arrays.fill(copy, offset, offset + count, (byte) 0);
    return new ConfigImage(copy);
  }

  /** A copy of the bytes. */
  public byte[] bytes() {
    return bytes.clone();
  }
}
