package dev.iolite.vmm;

import dev.iolite.kvm.Exit;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * PCI bus 0: configuration space behind the ports 0xcf8 and 0xcfc (PCI 3.0, 3.2.2.3.2), and the
 * functions' memory and ports. One vCPU at a time is in it.
 */
final class PciBus implements PortDevice {
  /** The address register; the data register follows. */
  static final int ADDRESS = 0xcf8;

  /** How many devices a bus has. */
  static final int SLOTS = 32;

  private static final int DATA = 0xcfc;
  private static final int ENABLE = 1 << 31;
  private static final int FUNCTION_SHIFT = 8;
  private static final int SLOT_SHIFT = 3;
  private static final int FUNCTION_MASK = 0xffff;
  private static final int OFFSET_MASK = 0xfc;

  /** The pins of the I/O APIC that have no ISA interrupt. */
  private static final int FIRST_LINE = 16;

  private static final int LINES = 8;

  private final List<PciFunction> functions = new ArrayList<>();
  private int address;

  /** The interrupt line of a device: INTA to INTD share it. */
  static int lineOf(int slot) {
    return FIRST_LINE + slot % LINES;
  }

  /** The slot of the function that is added next. */
  int nextSlot() {
    return functions.size();
  }

  /** Adds function 0 of the next device. */
  void add(PciFunction function) {
    functions.add(function);
  }

  void addTo(PortBus ports) {
    ports.add(ADDRESS, 1, this);
    ports.add(DATA, Integer.BYTES, this);
    ports.add(
        PciWindow.FIRST_PORT, PciWindow.LAST_PORT - PciWindow.FIRST_PORT + 1, new Functions());
  }

  @Override
  public synchronized int read(int port, int bytes) {
    if (port == ADDRESS) {
      return bytes == Integer.BYTES ? address : -1;
    }
    int offset = offset(port);
    PciFunction function = selected();
    return function == null || offset % bytes != 0 ? -1 : function.readConfig(offset, bytes);
  }

  @Override
  public synchronized void write(int port, int bytes, int value) {
    if (port == ADDRESS) {
      if (bytes == Integer.BYTES) {
        address = value;
      }
      return;
    }
    int offset = offset(port);
    PciFunction function = selected();
    if (function != null && offset % bytes == 0) {
      function.writeConfig(offset, bytes, value);
    }
  }

  private int offset(int port) {
    return (address & OFFSET_MASK) + port - DATA;
  }

  /** The function that the address selects, on bus 0; null if there is none. */
  private @Nullable PciFunction selected() {
    int selector = address >>> FUNCTION_SHIFT & FUNCTION_MASK;
    boolean isThere =
        (address & ENABLE) != 0
            && (selector & ((1 << SLOT_SHIFT) - 1)) == 0
            && selector >> SLOT_SHIFT < functions.size();
    return isThere ? functions.get(selector >> SLOT_SHIFT) : null;
  }

  synchronized void handle(Exit.MmioRead read) {
    for (PciFunction function : functions) {
      if (function.hasMemory(read.gpa())) {
        read.respond(function.readMemory(read.gpa(), read.size()));
        return;
      }
    }
    read.respond(-1);
  }

  synchronized void handle(Exit.MmioWrite write) {
    for (PciFunction function : functions) {
      if (function.hasMemory(write.gpa())) {
        function.writeMemory(write.gpa(), write.size(), write.value());
        return;
      }
    }
  }

  /** The ports of the functions' BARs. */
  private final class Functions implements PortDevice {
    @Override
    public int read(int port, int bytes) {
      synchronized (PciBus.this) {
        for (PciFunction function : functions) {
          if (function.hasPort(port)) {
            return function.readPort(port, bytes);
          }
        }
        return -1;
      }
    }

    @Override
    public void write(int port, int bytes, int value) {
      synchronized (PciBus.this) {
        for (PciFunction function : functions) {
          if (function.hasPort(port)) {
            function.writePort(port, bytes, value);
            return;
          }
        }
      }
    }
  }
}
