package dev.iolite.mock.pci;

import dev.iolite.kernel.Registers;
import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.IommuDevice;
import dev.iolite.mock.core.IommuDeviceGroup;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.core.ReservedRegion;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.mock.device.Bar;
import dev.iolite.mock.device.DeviceHost;
import dev.iolite.mock.device.DeviceLogic;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.device.Express;
import dev.iolite.mock.device.ExtendedCapability;
import dev.iolite.mock.device.MsiX;
import dev.iolite.mock.device.SparseMemory;
import dev.iolite.pci.PciRegs;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A function as the bus sees it: configuration space, BARs, interrupts, DMA through the IOMMU.
 * Nothing here belongs to the kernel. Everything is used under the model's lock.
 */
public final class PciFunction implements IommuDevice, TeeFunction {
  private static final int D3_HOT = 3;

  private final Bdf address;
  private final DeviceShape shape;
  private final ConfigLayout layout;
  private final FunctionConfig config;
  private final Interrupts interrupts;
  private final TeeInterface tee;
  private final Map<Integer, Long> assigned = new HashMap<>();
  private final Map<Integer, SparseMemory> memories = new HashMap<>();
  private final Map<Integer, Registers> registers = new HashMap<>();
  private final DeviceLogic logic;
  private final Optional<IommuDeviceGroup> group;
  private Optional<Translation> translation = Optional.empty();
  private boolean present = true;
  private boolean isVirtual;
  private boolean busy;
  private boolean working;
  private Optional<Runnable> later = Optional.empty();

  PciFunction(Bdf address, DeviceModel model, Optional<IommuDeviceGroup> group) {
    this.address = address;
    this.group = group;
    shape = model.shape();
    layout = new ConfigLayout(shape);
    config = layout.space();
    interrupts = new Interrupts(layout, shape.msiX(), this::hostReachesMsix);
    tee = new TeeInterface(this);
    for (Bar bar : shape.bars()) {
      memories.put(bar.index(), new SparseMemory(bar.bytes()));
    }
    logic = model.logic().apply(new Host());
    for (Bar bar : shape.bars()) {
      registers.put(bar.index(), logic.registers(bar.index()).orElse(memories.get(bar.index())));
    }
    group.ifPresent(members -> members.devices().add(this));
  }

  /** Its address. */
  public Bdf address() {
    return address;
  }

  /** Its shape. */
  public DeviceShape shape() {
    return shape;
  }

  ConfigLayout layout() {
    return layout;
  }

  Interrupts interrupts() {
    return interrupts;
  }

  /** Pulls it out: it no longer answers or does anything. */
  void unplug() {
    present = false;
    tee.removed();
  }

  /** Plugs it in again, as new. */
  void plug() {
    present = true;
    reset();
    assigned.forEach((bar, start) -> {
      if (bar == PciDev.ROM) {
        assignRom(start);
      } else {
        assign(bar, start);
      }
    });
  }

  // -- IommuDevice

  @Override
  public String name() {
    return address.toString();
  }

  @Override
  public Optional<IommuDeviceGroup> group() {
    return group;
  }

  @Override
  public List<Range> reserved() {
    return group.stream()
        .flatMap(members -> members.reserved().stream())
        .filter(ReservedRegion::isForbidden)
        .map(region -> new Range(region.first(), region.last()))
        .toList();
  }

  @Override
  public int pasidBits() {
    return 0;
  }

  @Override
  public void translateBy(Optional<Translation> tables) {
    translation = tables;
  }

  // -- configuration space

  /** The size of its configuration space, in bytes. */
  public int configBytes() {
    return config.size();
  }

  /**
   * Reads configuration space; all ones if the function is gone.
   *
   * @param width 1, 2 or 4; the offset is a multiple of it
   */
  public int configRead(int offset, int width) {
    if (!present) {
      return (int) Ones.of(width);
    }
    return config.read(offset, width);
  }

  /** Makes it a VF, whose ids only its PF shows (SR-IOV specification, 3.4.1). */
  void hideIds() {
    config.define(PciRegs.VENDOR, 4, 0xffff_ffffL, 0);
    isVirtual = true;
  }

  /** Writes configuration space; the same holds as for {@link #configRead}. */
  public void configWrite(int offset, int width, int value) {
    if (!present) {
      return;
    }
    int powerBefore = powerState();
    config.write(offset, width, value);
    tee.configWritten();
    endSelfTest();
    if (isFunctionLevelReset(offset, width, value)
        || (powerBefore == D3_HOT
            && powerState() != D3_HOT
            && shape.power().equals(Optional.of(DeviceShape.Power.RESETS)))) {
      reset();
    }
    interrupts.configChanged();
  }

  /** Leaves its registers in the state that was recorded, without doing anything for it. */
  void leaveAsRecorded() {
    layout.leaveAsRecorded();
  }

  /** Sets how many VFs its SR-IOV capability shows, and at which offset. */
  void describeVirtualFunctions(int count, int offset) {
    layout.describeVirtualFunctions(count, offset);
  }

  /** drivers/pci/iov.c:sriov_enable, sriov_disable: what they write to the capability. */
  void enableVirtualFunctions(int count) {
    layout
        .extendedAt(ExtendedCapability.SRIOV)
        .ifPresent(at -> {
          int on = PciRegs.SRIOV_CTRL_ENABLE | PciRegs.SRIOV_CTRL_MEMORY;
          configWrite(at + PciRegs.SRIOV_NUM_VF, 2, count);
          configWrite(at + PciRegs.SRIOV_CTRL, 2, count == 0 ? 0 : on);
        });
  }

  /** Ends the self test, which passes in no time. */
  private void endSelfTest() {
    int test = config.read(PciRegs.BIST, 1);
    config.set(PciRegs.BIST, 1, test & ~PciRegs.BIST_START);
  }

  private boolean isFunctionLevelReset(int offset, int width, int value) {
    int control = layout.express() + PciRegs.EXP_DEVCTL + 1;
    int high = value >>> ((control - offset) * Byte.SIZE);
    return layout.express() != 0
        && offset <= control
        && offset + width > control
        && (high & (PciRegs.EXP_DEVCTL_FLR >> Byte.SIZE)) != 0
        && (config.read(layout.express() + PciRegs.EXP_DEVCAP, 4) & PciRegs.EXP_DEVCAP_FLR) != 0;
  }

  private int powerState() {
    return layout.pm() == 0
        ? 0
        : config.read(layout.pm() + PciRegs.PM_CTRL, 1) & PciRegs.PM_CTRL_STATE;
  }

  /** Resets the function, as FLR or the bus does. */
  void reset() {
    if (!present) {
      return;
    }
    tee.resetting();
    config.reset();
    interrupts.reset();
    memories.values().forEach(SparseMemory::clear);
    logic.reset();
  }

  // -- BARs

  /** Sets the address that the firmware gave a BAR, and writes it to the register. */
  void assign(int bar, long start) {
    assigned.put(bar, start);
    int at = PciRegs.BAR + 4 * bar;
    config.write(at, 4, (int) start);
    if (shape.bar(bar).orElseThrow().kind() == Bar.Kind.MEMORY_64) {
      config.write(at + 4, 4, (int) (start >>> 32));
    }
  }

  /** Sets the address that the firmware gave the expansion ROM, and writes it to the register. */
  void assignRom(long start) {
    assigned.put(PciDev.ROM, start);
    config.write(PciRegs.ROM, 4, (int) start);
  }

  /**
   * The address that the firmware gave a BAR or the ROM; empty if it found no room, or there is no
   * such BAR or ROM.
   */
  Optional<Long> assigned(int bar) {
    return Optional.ofNullable(assigned.get(bar));
  }

  private boolean answers(Bar bar) {
    if (isVirtual && shape.image().isPresent()) {
      // Its registers are zeros, and its PF decodes for it.
      return present && powerState() == 0;
    }
    int command = config.read(PciRegs.COMMAND, 2);
    int needed = bar.isMemory() ? PciRegs.COMMAND_MEMORY : PciRegs.COMMAND_IO;
    int at = PciRegs.BAR + 4 * bar.index();
    long low = Integer.toUnsignedLong(config.read(at, 4)) & (bar.isMemory() ? ~0xfL : ~3L);
    long high = bar.kind() == Bar.Kind.MEMORY_64 ? config.read(at + 4, 4) : 0;
    return present
        && powerState() == 0
        && (command & needed) != 0
        && assigned(bar.index()).equals(Optional.of((high << 32) | low));
  }

  private boolean hostReachesMsix() {
    MsiX table = shape.msiX().orElseThrow();
    return tee.admits(table.tableBar(), table.tableOffset(), false);
  }

  private Registers target(int index, long offset, boolean trusted) {
    Bar bar = shape.bar(index).orElseThrow();
    if (!answers(bar) || !tee.admits(index, offset, trusted)) {
      throw new Memory.Unreachable("%s BAR%d does not answer".formatted(address, index));
    }
    return interrupts
        .table()
        .filter(table -> table.covers(index, offset))
        .map(table -> table.access(index))
        .orElseGet(() -> registers.get(index));
  }

  /**
   * Reads a register of a BAR.
   *
   * @param bytes 1, 2, 4 or 8; the offset is a multiple of it, and inside the BAR
   * @throws Memory.Unreachable if it does not answer: it is gone, its decode is off, it is not in
   *     D0, or the device itself asks while it handles another access
   */
  public long barRead(int bar, long offset, int bytes) {
    return read(bar, offset, bytes, false);
  }

  /** Writes a register of a BAR; the same holds as for {@link #barRead}. */
  public void barWrite(int bar, long offset, int bytes, long value) {
    write(bar, offset, bytes, value, false);
  }

  /** {@link #barRead} from a confidential guest's private side. */
  public long trustedRead(int bar, long offset, int bytes) {
    return read(bar, offset, bytes, true);
  }

  /** {@link #barWrite} from a confidential guest's private side. */
  public void trustedWrite(int bar, long offset, int bytes, long value) {
    write(bar, offset, bytes, value, true);
  }

  private long read(int bar, long offset, int bytes, boolean trusted) {
    Registers target = target(bar, offset, trusted);
    begin();
    try {
      return target.read(offset, bytes);
    } finally {
      busy = false;
    }
  }

  private void write(int bar, long offset, int bytes, long value, boolean trusted) {
    Registers target = target(bar, offset, trusted);
    begin();
    try {
      target.write(offset, bytes, value);
    } finally {
      busy = false;
    }
    work();
  }

  private void work() {
    Optional<Runnable> waiting = later;
    later = Optional.empty();
    if (waiting.isPresent() && !working) {
      working = true;
      try {
        waiting.get().run();
      } finally {
        working = false;
      }
    }
  }

  /** Begins an access. A device whose DMA leads back to its own registers would never finish. */
  private void begin() {
    if (busy) {
      throw new Memory.Unreachable(address + " is busy with an access");
    }
    busy = true;
  }

  /** The expansion ROM's content; nothing answers beyond its end. */
  public Optional<MemorySegment> rom() {
    return present ? shape.rom() : Optional.empty();
  }

  /** The memory behind a BAR all of which is nothing but memory; empty if it has registers. */
  public Optional<SparseMemory> plainMemory(int index) {
    SparseMemory memory = memory(index);
    boolean hasTable = shape.msiX().filter(table -> table.isIn(index)).isPresent();
    return registers.get(index) == memory && !hasTable ? Optional.of(memory) : Optional.empty();
  }

  /** Whether a BAR answers: the function is there and in D0, and decodes the BAR's address. */
  public boolean answers(int index) {
    return answers(shape.bar(index).orElseThrow());
  }

  /** The memory behind a BAR, whether it answers or not. */
  SparseMemory memory(int bar) {
    SparseMemory memory = memories.get(bar);
    if (memory == null) {
      throw new IllegalArgumentException("%s has no BAR%d".formatted(address, bar));
    }
    return memory;
  }

  // -- TeeFunction

  @Override
  public boolean isExpress() {
    return shape.express().isPresent();
  }

  @Override
  public boolean isManager() {
    return address.function() == 0
        && (shape.emulatedTee()
            || shape.express().filter(express -> express.ide() || express.teeIo()).isPresent());
  }

  @Override
  public boolean hasTee() {
    return shape.emulatedTee() || shape.express().filter(Express::teeIo).isPresent();
  }

  @Override
  public boolean isEmulatedTee() {
    return shape.emulatedTee();
  }

  @Override
  public boolean isPresent() {
    return present;
  }

  @Override
  public byte[] interfaceReport(long mmioOffset) {
    return tee.report(mmioOffset);
  }

  @Override
  public int addressWidth() {
    return tee.told().addressWidth();
  }

  @Override
  public byte[] measurements(byte[] nonce) {
    return shape.measurements().message(nonce);
  }

  @Override
  public boolean isTeeMemory(int bar, long offset) {
    return tee.isTeeMemory(bar, offset);
  }

  @Override
  public List<BarRange> teeRanges(int bar) {
    return tee.teeRanges(bar);
  }

  @Override
  public List<TeeBar> teeBars() {
    return shape.bars().stream()
        .filter(bar -> !teeRanges(bar.index()).isEmpty())
        .map(bar ->
            new TeeBar(
                bar.index(), bar.kind() == Bar.Kind.MEMORY_64, assigned(bar.index()).orElse(0L)))
        .toList();
  }

  @Override
  public Optional<Memory> trustedMemory(long physical, long bytes) {
    for (Bar bar : shape.bars()) {
      long start = assigned(bar.index()).orElse(0L);
      long offset = physical - start;
      if (bar.isMemory()
          && start != 0
          && offset >= 0
          && bytes <= bar.bytes() - offset
          && tee.isTeeMemory(bar.index(), offset, bytes)) {
        return Optional.of(new TrustedMemory(this, bar.index(), offset));
      }
    }
    return Optional.empty();
  }

  @Override
  public void setGuard(Optional<Guard> guard) {
    tee.setGuard(guard);
  }

  @Override
  public String toString() {
    return name();
  }

  /** The device's access to the machine. */
  private final class Host implements DeviceHost {
    private Translation tables() {
      if (!present || (config.read(PciRegs.COMMAND, 2) & PciRegs.COMMAND_MASTER) == 0) {
        throw new Memory.Unreachable(address + " may not make DMA");
      }
      return translation.orElseThrow(
          () -> new Memory.Unreachable("the IOMMU blocks the DMA of " + address));
    }

    @Override
    public void read(long iova, MemorySegment into) {
      tables().read(iova, into);
    }

    @Override
    public void write(long iova, MemorySegment from) {
      tables().write(iova, from);
    }

    @Override
    public void later(Runnable work) {
      later = Optional.of(work);
    }

    @Override
    public boolean messagesEnabled() {
      return interrupts.isMsiOn() || interrupts.isMsixOn();
    }

    @Override
    public void send(int vector) {
      if (present) {
        interrupts.send(vector);
      }
    }

    @Override
    public void setLine(boolean asserted) {
      if (present) {
        interrupts.setLine(asserted);
      }
    }

    @Override
    public SparseMemory memory(int bar) {
      return PciFunction.this.memory(bar);
    }
  }
}
