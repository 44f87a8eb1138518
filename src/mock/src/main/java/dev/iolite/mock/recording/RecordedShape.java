package dev.iolite.mock.recording;

import dev.iolite.mock.device.Bar;
import dev.iolite.mock.device.ConfigImage;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.device.DeviceShapeBuilder;
import dev.iolite.mock.device.Edu;
import dev.iolite.mock.device.Express;
import dev.iolite.mock.device.ExtendedCapability;
import dev.iolite.mock.device.Ivshmem;
import dev.iolite.mock.device.MsiX;
import dev.iolite.mock.device.nvme.Nvme;
import dev.iolite.mock.pci.IoResource;
import dev.iolite.mock.pci.PciDev;
import dev.iolite.pci.PciRegs;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Makes a device of a recorded function. A device that the model knows by its ids works; any other
 * has plain memory behind its BARs, and raises no interrupt.
 */
final class RecordedShape {
  private static final int MSI_VECTORS_SHIFT = 1;
  private static final int MSI_VECTORS_MASK = 7;
  private static final int MSIX_SIZE_MASK = 0x7ff;
  private static final int BAR_OF_OFFSET = 7;
  private static final int BRIDGE_BARS = 2;

  /** SR-IOV: the device id of VFs, 16 bits. */
  private static final int SRIOV_DEVICE = 0x1a;

  /** PCI_IOV_RESOURCES: what all VFs have together. */
  private static final int FIRST_VF_RESOURCE = 7;

  /** Whose registers the model knows. */
  private static final List<DeviceModel> KNOWN =
      List.of(Edu.model(), Nvme.model("IOLITE-RECORDED"), Ivshmem.model());

  /** ROMs by their size, which functions share: their content is not recorded. */
  private final Map<Long, MemorySegment> roms = new TreeMap<>();

  /**
   * The BAR of a line in the {@code resource} file.
   *
   * @throws IllegalArgumentException if no device can have it
   */
  static Bar bar(int index, IoResource resource) {
    Bar.Kind kind =
        resource.isPorts()
            ? Bar.Kind.PORTS
            : resource.is64Bit() ? Bar.Kind.MEMORY_64 : Bar.Kind.MEMORY_32;
    return new Bar(index, resource.bytes(), kind, resource.isPrefetchable());
  }

  /**
   * The device.
   *
   * @throws IllegalArgumentException if what was recorded contradicts itself
   */
  DeviceModel model(RecordedFunction function) {
    DeviceShape shape = shape(function);
    return KNOWN.stream()
        .filter(known ->
            known.shape().vendor() == shape.vendor()
                && known.shape().device() == shape.device()
                && known.shape().bars().stream()
                    .allMatch(bar -> shape.bar(bar.index()).isPresent()))
        .findFirst()
        .map(known -> new DeviceModel(shape, known.logic()))
        .orElseGet(() -> DeviceModel.memory(shape));
  }

  /** A VF of a function of which none was seen: its capabilities are not known. */
  DeviceModel virtual(RecordedFunction physical) {
    ConfigImage config = physical.config();
    int total = physical.sriov().orElseThrow().total();
    int device =
        config.extended(ExtendedCapability.SRIOV.id()).stream()
            .map(at -> config.read(at + SRIOV_DEVICE, 2))
            .findFirst()
            .orElse(physical.ids().device());
    DeviceShapeBuilder shape =
        DeviceShape.builder(physical.ids().vendor(), device)
            .classCode(physical.ids().classCode())
            .withoutInterruptPin();
    for (int bar = 0; bar < Bar.MOST; bar++) {
      IoResource all = physical.placement().resources().get(FIRST_VF_RESOURCE + bar);
      if (all != null && Long.bitCount(all.bytes() / total) == 1) {
        shape.bar(bar(bar, new IoResource(0, all.bytes() / total, all.flags())));
      }
    }
    return DeviceModel.memory(shape.build());
  }

  private DeviceShape shape(RecordedFunction function) {
    ConfigImage config = function.config();
    RecordedFunction.Ids ids = function.ids();
    DeviceShapeBuilder shape = DeviceShape.builder(ids.vendor(), ids.device());
    boolean isBridge = config.answers() && config.headerType() == 1;
    if (isBridge) {
      shape.bridgeTo(config.read(PciRegs.BRIDGE_BUSES + 1, 1));
    }
    shape
        .subsystem(ids.subsystemVendor(), ids.subsystemDevice())
        .classCode(ids.classCode())
        .revision(ids.revision())
        .image(config);
    Map<Integer, IoResource> resources = function.placement().resources();
    for (int bar = 0; bar < (isBridge ? BRIDGE_BARS : Bar.MOST); bar++) {
      if (resources.containsKey(bar)) {
        shape.bar(bar(bar, resources.get(bar)));
      }
    }
    if (resources.containsKey(PciDev.ROM)) {
      shape.rom(roms.computeIfAbsent(resources.get(PciDev.ROM).bytes(), RecordedShape::rom));
    }
    if (!config.answers() || config.read(PciRegs.INTERRUPT_PIN, 1) == 0) {
      shape.withoutInterruptPin();
    }
    capabilities(config, shape);
    return shape.build();
  }

  /** Its first two bytes are those of every ROM; for the others, nothing answers. */
  private static MemorySegment rom(long bytes) {
    byte[] content = new byte[Math.clamp(bytes, 2, (16 << 20) + 1)];
    Arrays.fill(content, (byte) -1);
    content[0] = 0x55;
    content[1] = (byte) 0xaa;
    return MemorySegment.ofArray(content);
  }

  private static void capabilities(ConfigImage config, DeviceShapeBuilder shape) {
    config
        .capability(PciRegs.CAP_MSI)
        .ifPresent(at -> {
          int flags = config.read(at + PciRegs.MSI_FLAGS, 2);
          shape.msi(1 << (flags >> MSI_VECTORS_SHIFT & MSI_VECTORS_MASK));
        });
    config.capability(PciRegs.CAP_MSIX).ifPresent(at -> shape.msiX(msiX(config, at)));
    config
        .capability(PciRegs.CAP_PM)
        .ifPresent(at -> {
          int control = config.read(at + PciRegs.PM_CTRL, 2);
          shape.power(
              (control & PciRegs.PM_CTRL_NO_SOFT_RESET) != 0
                  ? DeviceShape.Power.KEEPS_STATE
                  : DeviceShape.Power.RESETS);
        });
    config.capability(PciRegs.CAP_EXPRESS).ifPresent(at -> shape.express(express(config, at)));
  }

  private static MsiX msiX(ConfigImage config, int at) {
    int table = config.read(at + PciRegs.MSIX_TABLE, 4);
    int pending = config.read(at + PciRegs.MSIX_TABLE + 4, 4);
    return new MsiX(
        (config.read(at + PciRegs.MSIX_FLAGS, 2) & MSIX_SIZE_MASK) + 1,
        table & BAR_OF_OFFSET,
        Integer.toUnsignedLong(table & ~BAR_OF_OFFSET),
        pending & BAR_OF_OFFSET,
        Integer.toUnsignedLong(pending & ~BAR_OF_OFFSET));
  }

  private static Express express(ConfigImage config, int at) {
    int able = config.read(at + PciRegs.EXP_DEVCAP, 4);
    Set<ExtendedCapability> extended = EnumSet.noneOf(ExtendedCapability.class);
    for (ExtendedCapability capability : ExtendedCapability.values()) {
      if (config.extended(capability.id()).isPresent()) {
        extended.add(capability);
      }
    }
    return new Express(
        (able & PciRegs.EXP_DEVCAP_FLR) != 0,
        (able & PciRegs.EXP_DEVCAP_TEE) != 0,
        config.extended(PciRegs.ECAP_IDE).isPresent(),
        extended);
  }
}
