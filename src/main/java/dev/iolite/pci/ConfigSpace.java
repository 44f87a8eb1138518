package dev.iolite.pci;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A copy of a function's configuration space, of 64, 256 or 4096 bytes. The kernel shows only the
 * first 64 to users without CAP_SYS_ADMIN (drivers/pci/pci-sysfs.c:pci_read_config).
 */
public final class ConfigSpace {
  private static final int COMMAND = 0x04;
  private static final int STATUS = 0x06;
  private static final int STATUS_CAPABILITIES = 1 << 4;
  private static final int FIRST_CAPABILITY = 0x34;
  private static final int HEADER = 0x40;
  private static final int STANDARD = 0x100;
  private static final int COMMAND_MEMORY = 1 << 1;
  private static final int COMMAND_MASTER = 1 << 2;
  private static final int NEXT_SHIFT = 20;

  private final ByteBuffer bytes;

  /** Keeps a copy of the bytes. */
  public ConfigSpace(byte[] bytes) {
    this.bytes = ByteBuffer.wrap(bytes.clone()).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** How much of it there is, in bytes. */
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

  /** The command register, PCI_COMMAND. */
  public int command() {
    return read16(COMMAND);
  }

  /** Whether the function answers at its memory BARs. */
  public boolean hasMemoryDecode() {
    return (command() & COMMAND_MEMORY) != 0;
  }

  /** Whether the function may start DMA. */
  public boolean hasBusMaster() {
    return (command() & COMMAND_MASTER) != 0;
  }

  /**
   * Both capability lists, in their order. A list that leads outside what was read, or back to an
   * entry, ends there: so do the lists of a device that is gone and reads as all ones.
   */
  public List<PciCapability> capabilities() {
    List<PciCapability> capabilities = new ArrayList<>();
    if (size() > HEADER && (read16(STATUS) & STATUS_CAPABILITIES) != 0) {
      addStandard(capabilities);
    }
    if (size() > STANDARD) {
      addExtended(capabilities);
    }
    return capabilities;
  }

  private void addStandard(List<PciCapability> capabilities) {
    Set<Integer> seen = new HashSet<>();
    int offset = read8(FIRST_CAPABILITY) & ~3;
    while (offset >= HEADER && offset + 1 < size() && seen.add(offset)) {
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
    int offset = STANDARD;
    while (offset >= STANDARD && offset + Integer.BYTES <= size() && seen.add(offset)) {
      int header = read32(offset);
      if (header == 0 || header == -1) {
        return;
      }
      capabilities.add(new PciCapability(header & 0xffff, offset, true));
      offset = (header >>> NEXT_SHIFT) & ~3;
    }
  }
}
