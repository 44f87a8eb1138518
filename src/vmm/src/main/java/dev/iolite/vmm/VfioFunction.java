package dev.iolite.vmm;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kvm.Vm;
import dev.iolite.pci.ConfigSpace;
import dev.iolite.pci.PciRegs;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.Region;
import dev.iolite.vfio.RegionInfo;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A device that is passed through. VFIO shows its configuration space, and acts on what is written
 * to it; this adds the BARs' addresses in the guest, and the way of its interrupts.
 */
final class VfioFunction implements PciFunction, AutoCloseable {
  private static final int BARS = 6;
  private static final int BARS_END = PciRegs.BAR + BARS * Integer.BYTES;
  private static final int BAR_NUMBER = 7;
  private static final int IO_FLAGS = 3;

  private final Region config;
  private final VfioInterrupts interrupts;
  private final OptionalInt power;

  /** The BAR of each register; the upper register of a 64-bit one has it, too. */
  private final VfioBar[] bars = new VfioBar[BARS];

  private final int tableBar;
  private final long tableOffset;
  private final CloseStack open;

  /** Takes a device, and gives it to the guest without decoding or DMA, as after a reset. */
  VfioFunction(
      Kernel kernel,
      BoundVfioDevice device,
      Vm vm,
      PciWindow window,
      InterruptRoutes routes,
      int line) {
    config = device.config().region();
    // The kernel's reset leaves the register as vfio-pci had it, which decodes.
    config.write(PciRegs.COMMAND, Short.BYTES, 0);
    try (CloseStack opening = new CloseStack();
        Arena arena = Arena.ofConfined()) {
      ConfigSpace space =
          new ConfigSpace(
              config
                  .read(arena.allocate(PciRegs.CONVENTIONAL_BYTES), 0)
                  .toArray(ValueLayout.JAVA_BYTE));
      power = VfioInterrupts.capability(space, PciRegs.CAP_PM);
      interrupts =
          opening.push(new VfioInterrupts(kernel, device, space, vm.interrupts(), routes, line));
      int location = interrupts.tableLocation();
      tableBar = location < 0 ? -1 : location & BAR_NUMBER;
      tableOffset = location & ~BAR_NUMBER;
      for (int i = 0; i < BARS; i++) {
        Optional<RegionInfo> info =
            device.regionInfo(PciRegion.bar(i)).filter(found -> found.bytes() != 0);
        if (info.isPresent() && bars[i] == null) {
          int register = config.read32(PciRegs.BAR + (long) i * Integer.BYTES);
          boolean isPorts = (register & PciRegs.BAR_IO) != 0;
          ByteRange table =
              i == tableBar
                  ? new ByteRange(tableOffset, interrupts.table().bytes())
                  : new ByteRange(0, 0);
          int flags = register & (isPorts ? IO_FLAGS : PciRegs.BAR_FLAGS);
          bars[i] = opening.push(new VfioBar(vm, window, device.region(info.get()), flags, table));
          if (bars[i].is64Bit() && i + 1 < BARS) {
            bars[i + 1] = bars[i];
          }
        }
      }
      interrupts.follow();
      open = opening.release();
    }
  }

  private boolean isUpper(int register) {
    return register > 0 && bars[register] == bars[register - 1];
  }

  private static boolean isBar(int offset) {
    return offset >= PciRegs.BAR && offset < BARS_END;
  }

  private static boolean isRom(int offset) {
    return offset >= PciRegs.ROM && offset < PciRegs.ROM + Integer.BYTES;
  }

  @Override
  public int readConfig(int offset, int bytes) {
    if (isRom(offset)) {
      return 0;
    }
    if (!isBar(offset)) {
      return interrupts.shown(offset, bytes, (int) config.read(offset, bytes));
    }
    int register = (offset - PciRegs.BAR) / Integer.BYTES;
    int value = bars[register] == null ? 0 : bars[register].register(isUpper(register));
    return value >>> (offset % Integer.BYTES * Byte.SIZE);
  }

  @Override
  public void writeConfig(int offset, int bytes, int value) {
    if (isRom(offset)) {
      return;
    }
    if (isBar(offset)) {
      int register = (offset - PciRegs.BAR) / Integer.BYTES;
      if (bars[register] != null) {
        int shift = offset % Integer.BYTES * Byte.SIZE;
        int written = (-1 >>> (Integer.SIZE - bytes * Byte.SIZE)) << shift;
        int kept = bars[register].register(isUpper(register)) & ~written;
        bars[register].write(isUpper(register), kept | ((value << shift) & written));
      }
      return;
    }
    boolean isSwitchedOff = offset == PciRegs.COMMAND && (value & PciRegs.COMMAND_MEMORY) == 0;
    if (isSwitchedOff || isPower(offset)) {
      // VFIO takes the pages away, so the guest must not reach them any more.
      decode(false, false);
    }
    try {
      config.write(offset, bytes, Integer.toUnsignedLong(value));
    } catch (KernelException _) {
      // VFIO refuses what would harm the host; the guest sees that it has no effect.
    }
    interrupts.written(offset, bytes, value);
    int command = config.read16(PciRegs.COMMAND);
    boolean isAwake =
        power.isEmpty()
            || (config.read16(power.getAsInt() + PciRegs.PM_CTRL) & PciRegs.PM_CTRL_STATE) == 0;
    decode(
        isAwake && (command & PciRegs.COMMAND_MEMORY) != 0,
        isAwake && (command & PciRegs.COMMAND_IO) != 0);
    interrupts.follow();
  }

  private boolean isPower(int offset) {
    return power.isPresent() && offset == power.getAsInt() + PciRegs.PM_CTRL;
  }

  private void decode(boolean memory, boolean ports) {
    for (int i = 0; i < BARS; i++) {
      if (bars[i] != null && !isUpper(i)) {
        bars[i].decode(bars[i].isPorts() ? ports : memory);
      }
    }
  }

  private Optional<VfioBar> memoryAt(long gpa) {
    for (VfioBar bar : bars) {
      if (bar != null && bar.hasMemory(gpa)) {
        return Optional.of(bar);
      }
    }
    return Optional.empty();
  }

  @Override
  public boolean hasMemory(long gpa) {
    return memoryAt(gpa).isPresent();
  }

  private boolean isTable(VfioBar bar, long offset, int bytes) {
    return tableBar >= 0
        && bar == bars[tableBar]
        && offset >= tableOffset
        && offset + bytes <= tableOffset + interrupts.table().bytes();
  }

  @Override
  public long readMemory(long gpa, int bytes) {
    VfioBar bar = memoryAt(gpa).orElseThrow();
    long offset = bar.offset(gpa);
    return isTable(bar, offset, bytes)
        ? interrupts.table().read((int) (offset - tableOffset), bytes)
        : bar.read(offset, bytes);
  }

  @Override
  public void writeMemory(long gpa, int bytes, long value) {
    VfioBar bar = memoryAt(gpa).orElseThrow();
    long offset = bar.offset(gpa);
    if (isTable(bar, offset, bytes)) {
      int at = (int) (offset - tableOffset);
      interrupts.table().write(at, bytes, value);
      interrupts.followEntry(MsixTable.vectorAt(at));
      interrupts.followEntry(MsixTable.vectorAt(at + bytes - 1));
    } else {
      bar.write(offset, bytes, value);
    }
  }

  private Optional<VfioBar> portsAt(int port) {
    for (VfioBar bar : bars) {
      if (bar != null && bar.hasPort(port)) {
        return Optional.of(bar);
      }
    }
    return Optional.empty();
  }

  @Override
  public boolean hasPort(int port) {
    return portsAt(port).isPresent();
  }

  @Override
  public int readPort(int port, int bytes) {
    VfioBar bar = portsAt(port).orElseThrow();
    return (int) bar.read(bar.offset(port), bytes);
  }

  @Override
  public void writePort(int port, int bytes, int value) {
    VfioBar bar = portsAt(port).orElseThrow();
    bar.write(bar.offset(port), bytes, Integer.toUnsignedLong(value));
  }

  @Override
  public void close() {
    open.close();
  }
}
