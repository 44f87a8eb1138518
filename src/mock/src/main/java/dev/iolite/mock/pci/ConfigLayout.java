package dev.iolite.mock.pci;

import dev.iolite.mock.device.Bar;
import dev.iolite.mock.device.ConfigImage;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.device.Express;
import dev.iolite.mock.device.ExtendedCapability;
import dev.iolite.mock.device.Msi;
import dev.iolite.mock.device.MsiX;
import dev.iolite.pci.PciRegs;
import java.util.EnumMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeSet;

/**
 * Makes a function's configuration space from its shape, and knows where its capabilities are.
 * Bytes outside all capabilities can be written, as in QEMU's devices.
 */
final class ConfigLayout {
  private static final int MSIX_AT = 0x40;
  private static final int MSIX_BYTES = 0x0c;
  private static final int MSI_AT = 0x40;
  private static final int MSI_BESIDE_MSIX_AT = 0x50;
  private static final int MSI_BYTES = 0x0e;
  private static final int PM_AT = 0x60;
  private static final int PM_BYTES = 0x08;
  private static final int EXPRESS_AT = 0x80;
  private static final int EXPRESS_BYTES = 0x3c;

  static final int COMMAND_WRITABLE = 0x0507;
  private static final int PMC_VERSION_3 = 3;
  private static final int EXP_FLAGS_V2_INTEGRATED_ENDPOINT = 0x92;
  private static final int EXP_DEVCAP_ROLE_BASED_ERRORS = 1 << 15;
  private static final int EXP_LNKCAP = 0x0c;
  private static final int EXP_LNKCAP_X1_ASPM = 0x411;
  private static final int EXP_LNKSTA = 0x12;
  private static final int EXP_LNKSTA_X1 = 0x11;
  private static final int EXP_DEVCAP2 = 0x24;
  private static final int EXP_DEVCAP2_TLP_PREFIXES = 0x30_0000;
  private static final int EXP_DEVCTL2 = 0x28;
  private static final int EXP_DEVCTL2_WRITABLE = 0x8000;
  private static final int IDE_SELECTIVE = 1 << 1;
  private static final int IDE_TEE_LIMITED = 1 << 24;
  private static final int IDE_BLOCK = 0x0c;
  private static final int IDE_ASSOCIATIONS = 1;

  /** The minimum distance of two extended capabilities; IDE is the first one. */
  private static final int EXTENDED_STEP = 0x40;

  private static final int NEXT_SHIFT = 20;
  private static final int VERSION_1 = 1 << 16;

  private final DeviceShape shape;
  private final FunctionConfig space;
  private int link = PciRegs.CAPABILITIES;
  private int pm;
  private int msi;
  private int msiX;
  private int express;
  private int extendedEnd = PciRegs.CONVENTIONAL_BYTES;
  private OptionalInt lastExtended = OptionalInt.empty();
  private final Map<ExtendedCapability, Integer> extended = new EnumMap<>(ExtendedCapability.class);

  ConfigLayout(DeviceShape shape) {
    this.shape = shape;
    if (shape.image().isPresent()) {
      ConfigImage image = shape.image().get();
      space = new FunctionConfig(image.size());
      recorded(image);
      return;
    }
    space =
        new FunctionConfig(
            shape.express().isPresent() ? PciRegs.EXTENDED_BYTES : PciRegs.CONVENTIONAL_BYTES);
    header();
    shape.msiX().ifPresent(this::msiX);
    shape.msi().ifPresent(this::msi);
    shape.express().ifPresent(this::express);
    shape.power().ifPresent(this::power);
    shape.express().filter(Express::ide).ifPresent(_ -> ide());
    shape.express().ifPresent(one -> new TreeSet<>(one.extended()).forEach(this::extended));
  }

  /** Finds the capabilities where they were; see {@link RecordedConfig}. */
  private void recorded(ConfigImage image) {
    RecordedConfig.define(space, shape, image);
    pm = image.capability(PciRegs.CAP_PM).orElse(0);
    msi = image.capability(PciRegs.CAP_MSI).orElse(0);
    msiX = image.capability(PciRegs.CAP_MSIX).orElse(0);
    express = image.capability(PciRegs.CAP_EXPRESS).orElse(0);
    for (ExtendedCapability capability : ExtendedCapability.values()) {
      image.extended(capability.id()).ifPresent(at -> extended.put(capability, at));
    }
  }

  /**
   * Sets what was recorded, except the controls of interrupt messages, which belong to the driver
   * that the function has now.
   */
  void leaveAsRecorded() {
    shape
        .image()
        .ifPresent(image -> {
          int msiControl = msi == 0 ? 0 : space.read(msi + PciRegs.MSI_FLAGS, 2);
          int msixControl = msiX == 0 ? 0 : space.read(msiX + PciRegs.MSIX_FLAGS, 2);
          for (int at = 0; at < image.size(); at++) {
            space.write(at, 1, image.read(at, 1));
          }
          if (msi != 0) {
            space.set(msi + PciRegs.MSI_FLAGS, 2, msiControl);
          }
          if (msiX != 0) {
            space.set(msiX + PciRegs.MSIX_FLAGS, 2, msixControl);
          }
        });
  }

  FunctionConfig space() {
    return space;
  }

  /** The offset of the power management capability; 0 if there is none. */
  int pm() {
    return pm;
  }

  /** The offset of the MSI capability; 0 if there is none. */
  int msi() {
    return msi;
  }

  /** The offset of the MSI-X capability; 0 if there is none. */
  int msiX() {
    return msiX;
  }

  /** The offset of the PCI Express capability; 0 if there is none. */
  int express() {
    return express;
  }

  /** The offset of an extended capability; empty if there is none. */
  OptionalInt extendedAt(ExtendedCapability capability) {
    Integer at = extended.get(capability);
    return at == null ? OptionalInt.empty() : OptionalInt.of(at);
  }

  private void header() {
    for (int at = PciRegs.HEADER_BYTES; at < space.size(); at++) {
      space.define(at, 1, 0, 0xff);
    }
    if (space.size() > PciRegs.CONVENTIONAL_BYTES) {
      space.define(PciRegs.CONVENTIONAL_BYTES, 4, 0, 0);
    }
    space.define(PciRegs.VENDOR, 2, shape.vendor(), 0);
    space.define(PciRegs.DEVICE, 2, shape.device(), 0);
    space.define(PciRegs.COMMAND, 2, 0, COMMAND_WRITABLE);
    space.define(PciRegs.REVISION, 4, shape.revision() | (shape.classCode() << 8), 0);
    space.define(PciRegs.CACHE_LINE, 1, 0, 0xff);
    space.define(PciRegs.HEADER_TYPE, 1, shape.secondaryBus().isPresent() ? 1 : 0, 0);
    if (shape.express().filter(Express::teeIo).isPresent()) {
      space.define(PciRegs.BIST, 1, PciRegs.BIST_CAPABLE, PciRegs.BIST_START);
    }
    shape.bars().forEach(bar -> define(space, bar));
    if (shape.secondaryBus().isPresent()) {
      int bus = shape.secondaryBus().getAsInt();
      space.define(PciRegs.BRIDGE_BUSES, 3, (bus << 16) | (bus << 8), 0xff_ffff);
    } else {
      space.define(
          PciRegs.SUBSYSTEM,
          4,
          shape.subsystemVendor() | ((long) shape.subsystemDevice() << 16),
          0);
      defineRom(space, shape);
    }
    space.define(PciRegs.INTERRUPT_LINE, 1, 0, 0xff);
    space.define(PciRegs.INTERRUPT_PIN, 1, shape.interruptPin() ? 1 : 0, 0);
  }

  /** Defines the ROM's register, if there is a ROM. */
  static void defineRom(FunctionConfig space, DeviceShape shape) {
    shape
        .rom()
        .ifPresent(_ ->
            space.define(
                PciRegs.ROM, 4, 0, (-romBytes(shape) & 0xffff_f800L) | PciRegs.ROM_ENABLE));
  }

  /** The size of the ROM's window. */
  static long romBytes(DeviceShape shape) {
    long bytes = shape.rom().orElseThrow().byteSize();
    return Math.max(1 << 11, Long.highestOneBit(bytes * 2 - 1));
  }

  /** Defines a BAR, which shows its size by the address bits that can't be written. */
  static void define(FunctionConfig space, Bar bar) {
    long writable = -bar.bytes();
    int bits =
        switch (bar.kind()) {
          case PORTS -> PciRegs.BAR_IO;
          case MEMORY_32 -> 0;
          case MEMORY_64 -> PciRegs.BAR_64;
        };
    int flags = bits | (bar.prefetchable() ? PciRegs.BAR_PREFETCHABLE : 0);
    space.define(
        PciRegs.BAR + 4 * bar.index(), bar.kind() == Bar.Kind.MEMORY_64 ? 8 : 4, flags, writable);
  }

  /** Adds to the list's end. */
  private int capability(int id, int at, int bytes) {
    for (int i = 0; i < bytes; i++) {
      space.define(at + i, 1, 0, 0);
    }
    space.define(PciRegs.STATUS, 2, PciRegs.STATUS_CAPABILITIES, 0);
    space.define(link, 1, at, 0);
    space.define(at, 1, id, 0);
    link = at + 1;
    return at;
  }

  private void msi(Msi capability) {
    msi = capability(PciRegs.CAP_MSI, msiX == 0 ? MSI_AT : MSI_BESIDE_MSIX_AT, MSI_BYTES);
    int log = Integer.numberOfTrailingZeros(capability.vectors());
    space.define(msi + PciRegs.MSI_FLAGS, 2, PciRegs.MSI_64 | (log << 1), 0x71);
    space.define(msi + 4, 4, 0, 0xffff_fffcL);
    space.define(msi + 8, 4, 0, 0xffff_ffffL);
    space.define(msi + 12, 2, 0, 0xffff);
  }

  private void msiX(MsiX capability) {
    msiX = capability(PciRegs.CAP_MSIX, MSIX_AT, MSIX_BYTES);
    space.define(
        msiX + PciRegs.MSIX_FLAGS,
        2,
        capability.vectors() - 1L,
        PciRegs.MSIX_ENABLE | PciRegs.MSIX_MASK_ALL);
    space.define(msiX + PciRegs.MSIX_TABLE, 4, capability.tableOffset() | capability.tableBar(), 0);
    space.define(msiX + PciRegs.MSIX_TABLE + 4, 4, capability.pbaOffset() | capability.pbaBar(), 0);
  }

  private void express(Express capability) {
    express = capability(PciRegs.CAP_EXPRESS, EXPRESS_AT, EXPRESS_BYTES);
    space.define(express + 2, 2, EXP_FLAGS_V2_INTEGRATED_ENDPOINT, 0);
    space.define(
        express + PciRegs.EXP_DEVCAP,
        4,
        EXP_DEVCAP_ROLE_BASED_ERRORS
            | (capability.functionLevelReset() ? PciRegs.EXP_DEVCAP_FLR : 0)
            | (capability.teeIo() ? PciRegs.EXP_DEVCAP_TEE | PciRegs.EXP_DEVCAP_EXT_TAG : 0),
        0);
    space.define(
        express + PciRegs.EXP_DEVCTL, 2, 0, capability.teeIo() ? PciRegs.EXP_DEVCTL_EXT_TAG : 0);
    space.define(express + EXP_LNKCAP, 4, EXP_LNKCAP_X1_ASPM, 0);
    space.define(express + EXP_LNKSTA, 2, EXP_LNKSTA_X1, 0);
    space.define(express + EXP_DEVCAP2, 4, EXP_DEVCAP2_TLP_PREFIXES, 0);
    space.define(express + EXP_DEVCTL2, 2, 0, EXP_DEVCTL2_WRITABLE);
  }

  private void power(DeviceShape.Power capability) {
    pm = capability(PciRegs.CAP_PM, PM_AT, PM_BYTES);
    space.define(pm + PciRegs.PM_PMC, 2, PMC_VERSION_3, 0);
    space.define(
        pm + PciRegs.PM_CTRL,
        2,
        capability == DeviceShape.Power.KEEPS_STATE ? PciRegs.PM_CTRL_NO_SOFT_RESET : 0,
        PciRegs.PM_CTRL_STATE);
  }

  /** Adds to the end of the list of extended capabilities. */
  private int extended(int id, int bytes) {
    int at = extendedEnd;
    for (int i = 0; i < bytes; i++) {
      space.define(at + i, 1, 0, 0);
    }
    space.define(at, 4, id | VERSION_1, 0);
    lastExtended.ifPresent(last ->
        space.define(last, 4, space.read(last, 4) | Integer.toUnsignedLong(at) << NEXT_SHIFT, 0));
    lastExtended = OptionalInt.of(at);
    extendedEnd = at + EXTENDED_STEP;
    return at;
  }

  /** Defines the registers that software sets; in the model they have no effect. */
  private void extended(ExtendedCapability capability) {
    int at = extended(capability.id(), capability.bytes());
    extended.put(capability, at);
    switch (capability) {
      case ATS -> space.define(at + PciRegs.ATS_CTRL, 2, 0, 0x801f);
      case SRIOV -> {
        space.define(at + PciRegs.SRIOV_CTRL, 2, 0, 0x1f);
        space.define(at + PciRegs.SRIOV_NUM_VF, 2, 0, 0xffff);
        space.define(at + PciRegs.SRIOV_PAGE_SIZES, 4, 0x553, 0);
        space.define(at + PciRegs.SRIOV_PAGE_SIZE, 4, 1, 0xffff_ffffL);
      }
      case PRI -> {
        space.define(at + PciRegs.PRI_CTRL, 2, 0, PciRegs.PRI_ENABLE);
        space.define(at + PciRegs.PRI_ALLOCATION, 4, 0, 0xffff_ffffL);
      }
      case PASID -> {
        space.define(at + PciRegs.PASID_CTRL - 2, 2, 0x1406, 0);
        space.define(at + PciRegs.PASID_CTRL, 2, 0, 7);
      }
    }
  }

  /** Sets how many VFs there can be, and where they are, unless that was recorded. */
  void describeVirtualFunctions(int count, int offset) {
    if (shape.image().isPresent()) {
      return;
    }
    extendedAt(ExtendedCapability.SRIOV)
        .ifPresent(at -> {
          space.define(at + PciRegs.SRIOV_NUM_VF - 4, 4, count | (long) count << Short.SIZE, 0);
          space.define(at + PciRegs.SRIOV_NUM_VF + 4, 4, offset | 1L << Short.SIZE, 0);
        });
  }

  /** Defines one selective stream with one address association. */
  private void ide() {
    int at = extended(PciRegs.ECAP_IDE, EXTENDED_STEP);
    space.define(at + 4, 4, IDE_SELECTIVE | IDE_TEE_LIMITED, 0);
    space.define(at + 8, 4, 0, 1 << 2);
    int block = at + IDE_BLOCK;
    space.define(block, 4, IDE_ASSOCIATIONS, 0);
    space.define(block + 4, 4, 0, 0xffff_ffffL);
    for (int register = 0x0c; register < 0x20; register += 4) {
      space.define(block + register, 4, 0, 0xffff_ffffL);
    }
  }
}
