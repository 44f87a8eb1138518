package dev.iolite.pci;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A copy of a function's configuration space, of 64, 256 or 4096 bytes. To users without
 * CAP_SYS_ADMIN, the kernel shows only the first 64 bytes, or 128 of a CardBus bridge
 * (drivers/pci/pci-sysfs.c:pci_read_config).
 *
 * <p>It never changes: safe for use by several threads.
 */
public final class ConfigSpace {
  private static final int HEADER_CARDBUS = 0x80;
  private static final int NEXT_SHIFT = 20;

  /** The size of the header that every function has. */
  public static final int HEADER = PciRegs.HEADER_BYTES;

  /** The header type of an ordinary function. */
  public static final int ORDINARY = 0;

  /** The header type of a PCI bridge. */
  public static final int BRIDGE = 1;

  /** The header type of a CardBus bridge. */
  public static final int CARDBUS = 2;

  private final ByteBuffer bytes;

  /**
   * Keeps a copy of the bytes.
   *
   * @throws IllegalArgumentException if there is not even a header
   */
  public ConfigSpace(byte[] bytes) {
    if (bytes.length < HEADER) {
      throw new IllegalArgumentException(
          bytes.length + " bytes, fewer than the " + HEADER + " of a header");
    }
    this.bytes = ByteBuffer.wrap(bytes.clone()).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The size of this copy in bytes. */
  public int size() {
    return bytes.capacity();
  }

  /** 8 bits, unsigned. */
  public int read8(int offset) {
    return Byte.toUnsignedInt(bytes.get(offset));
  }

  /** 16 bits, unsigned. */
  public int read16(int offset) {
    return Short.toUnsignedInt(bytes.getShort(offset));
  }

  /** 32 bits. */
  public int read32(int offset) {
    return bytes.getInt(offset);
  }

  /**
   * Whether the function answers: one that has dropped off the bus or has no power (D3cold) reads
   * as all ones. The ids alone are not enough, because those of a VF also read as all ones (SR-IOV
   * specification, 3.4.1).
   */
  public boolean answers() {
    for (int at = 0; at < HEADER; at++) {
      if (bytes.get(at) != -1) {
        return true;
      }
    }
    return false;
  }

  /** The type of its header: {@link #ORDINARY}, {@link #BRIDGE}, {@link #CARDBUS} or another. */
  public int headerType() {
    return read8(PciRegs.HEADER_TYPE) & PciRegs.HEADER_TYPE_MASK;
  }

  /** The command register, PCI_COMMAND. */
  public int command() {
    return read16(PciRegs.COMMAND);
  }

  /** Whether the function answers at its memory BARs. */
  public boolean hasMemoryDecode() {
    return (command() & PciRegs.COMMAND_MEMORY) != 0;
  }

  /** Whether the function may start DMA. */
  public boolean hasBusMaster() {
    return (command() & PciRegs.COMMAND_MASTER) != 0;
  }

  /**
   * Whether the function has capabilities that are not in this copy because they lie beyond what
   * this user may read.
   */
  public boolean hidesCapabilities() {
    return answers()
        && (read16(PciRegs.STATUS) & PciRegs.STATUS_CAPABILITIES) != 0
        && size() <= (headerType() == CARDBUS ? HEADER_CARDBUS : HEADER);
  }

  /**
   * Both capability lists, in their order. A list that leads outside what was read, or back to an
   * earlier entry, ends there; a device that does not answer has none. A header of an unknown type
   * has none either, since it is unknown where its list would start.
   */
  public List<PciCapability> capabilities() {
    List<PciCapability> capabilities = new ArrayList<>();
    if (!answers()) {
      return capabilities;
    }
    if (size() > HEADER && (read16(PciRegs.STATUS) & PciRegs.STATUS_CAPABILITIES) != 0) {
      switch (headerType()) {
        case ORDINARY, BRIDGE -> addStandard(capabilities, PciRegs.CAPABILITIES, HEADER);
        case CARDBUS -> addStandard(capabilities, PciRegs.CARDBUS_CAPABILITIES, HEADER_CARDBUS);
        default -> {}
      }
    }
    if (size() > PciRegs.CONVENTIONAL_BYTES) {
      addExtended(capabilities);
    }
    return capabilities;
  }

  private void addStandard(List<PciCapability> capabilities, int pointer, int header) {
    Set<Integer> seen = new HashSet<>();
    int offset = read8(pointer) & ~3;
    while (offset >= header && offset + 1 < size() && seen.add(offset)) {
      int id = read8(offset);
      if (id == 0xff) {
        return;
      }
      capabilities.add(new PciCapability(id, offset, false));
      offset = read8(offset + 1) & ~3;
    }
  }

  private void addExtended(List<PciCapability> capabilities) {
    Set<Integer> seen = new HashSet<>();
    int offset = PciRegs.CONVENTIONAL_BYTES;
    while (offset >= PciRegs.CONVENTIONAL_BYTES
        && offset + Integer.BYTES <= size()
        && seen.add(offset)) {
      int header = read32(offset);
      if (header == 0 || header == -1) {
        return;
      }
      capabilities.add(new PciCapability(header & 0xffff, offset, true));
      offset = (header >>> NEXT_SHIFT) & ~3;
    }
  }
}
