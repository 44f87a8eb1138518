package dev.iolite.vmm;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Page;
import dev.iolite.kvm.Vm;
import dev.iolite.pci.PciRegs;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.Region;
import java.util.ArrayList;
import java.util.List;

/**
 * A BAR of a device that is passed through. The guest accesses what can be mapped without leaving,
 * and the rest, such as the pages of the MSI-X table, through VFIO's file.
 */
final class VfioBar implements AutoCloseable {
  /** What the guest accesses without leaving. */
  private record Part(long offset, DeviceMemory memory) {}

  private final Vm vm;
  private final PciWindow window;
  private final Region region;
  private final int flags;
  private final CloseStack open = new CloseStack();
  private final List<Part> parts = new ArrayList<>();
  private CloseStack slots = new CloseStack();
  private long address;
  private boolean decoded;

  /**
   * Maps what can be mapped.
   *
   * @param flags the low bits of the register
   * @param trapped what the guest must not reach without leaving; may be empty
   */
  VfioBar(Vm vm, PciWindow window, Region region, int flags, ByteRange trapped) {
    this.vm = vm;
    this.window = window;
    this.region = region;
    this.flags = flags;
    address = window.place(bytes(), isPorts(), is64Bit());
    long first = trapped.offset() & -Page.BYTES;
    long last = (trapped.offset() + trapped.bytes() + Page.BYTES - 1) & -Page.BYTES;
    for (ByteRange area : isPorts() ? List.<ByteRange>of() : region.info().mappableAreas()) {
      long end = (area.offset() + area.bytes()) & -Page.BYTES;
      if (trapped.bytes() == 0 || last <= area.offset() || first >= end) {
        map(area.offset(), end);
      } else {
        map(area.offset(), first);
        map(last, end);
      }
    }
  }

  private void map(long start, long end) {
    if (end > start) {
      parts.add(new Part(start, open.push(region.map(start, end - start))));
    }
  }

  private long bytes() {
    return region.info().bytes();
  }

  boolean isPorts() {
    return (flags & PciRegs.BAR_IO) != 0;
  }

  boolean is64Bit() {
    return !isPorts() && (flags & PciRegs.BAR_WIDTH) == PciRegs.BAR_64;
  }

  /** The register, or the upper of two. */
  int register(boolean isUpper) {
    return isUpper ? (int) (address >>> Integer.SIZE) : (int) address | flags;
  }

  /** Writes the register. The bits below the BAR's size stay 0, which tells the guest its size. */
  void write(boolean isUpper, int value) {
    long whole =
        isUpper
            ? (address & 0xffff_ffffL) | (long) value << Integer.SIZE
            : (address & ~0xffff_ffffL) | Integer.toUnsignedLong(value);
    long moved = whole & -bytes();
    if (moved != address) {
      boolean wasDecoded = decoded;
      decode(false);
      address = moved;
      decode(wasDecoded);
    }
  }

  /** Lets it answer at its address, or not. It never answers outside PCI's windows. */
  void decode(boolean isOn) {
    if (isOn == decoded) {
      return;
    }
    decoded = isOn;
    CloseStack old = slots;
    slots = new CloseStack();
    old.close();
    if (isOn && !isPorts() && window.contains(address, bytes())) {
      for (Part part : parts) {
        try {
          slots.push(
              vm.addSlot(address + part.offset(), part.memory().bytes(), part.memory().address()));
        } catch (KernelException _) {
          // Another BAR is there. Accesses to this part leave the guest, and one of them answers.
        }
      }
    }
  }

  /** Whether it answers at a memory address. */
  boolean hasMemory(long gpa) {
    return decoded
        && !isPorts()
        && gpa - address >= 0
        && gpa - address < bytes()
        && window.contains(address, bytes());
  }

  /** Whether it answers at a port. */
  boolean hasPort(int port) {
    return decoded && isPorts() && port >= address && port < address + bytes();
  }

  /** The offset of an address in it. */
  long offset(long at) {
    return at - address;
  }

  /** Reads by VFIO's file. A device that does not answer gives all ones, as on a real bus. */
  long read(long offset, int bytes) {
    if (offset > bytes() - bytes) {
      return -1;
    }
    try {
      return region.read(offset, bytes);
    } catch (KernelException _) {
      return -1;
    }
  }

  /** Writes by VFIO's file. What a device does not take is lost, as on a real bus. */
  void write(long offset, int bytes, long value) {
    if (offset <= bytes() - bytes) {
      try {
        region.write(offset, bytes, value);
      } catch (KernelException _) {
        // The device does not answer.
      }
    }
  }

  @Override
  public void close() {
    slots.close();
    open.close();
  }
}
