package dev.iolite.mock.device;

import dev.iolite.kernel.Page;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Builds a {@link DeviceShape}; {@link #build} checks that its parts fit together. */
public final class DeviceShapeBuilder {
  private static final int QEMU_SUBSYSTEM_VENDOR = 0x1af4;
  private static final int QEMU_SUBSYSTEM_DEVICE = 0x1100;
  private static final int CLASS_OTHERS = 0x00ff00;
  private static final int LARGEST_ROM = 16 << 20;

  private final int vendor;
  private final int device;
  private int subsystemVendor = QEMU_SUBSYSTEM_VENDOR;
  private int subsystemDevice = QEMU_SUBSYSTEM_DEVICE;
  private int classCode = CLASS_OTHERS;
  private int revision;
  private final List<Bar> bars = new ArrayList<>();
  private Optional<MemorySegment> rom = Optional.empty();
  private boolean interruptPin = true;
  private Optional<Msi> msi = Optional.empty();
  private Optional<MsiX> msiX = Optional.empty();
  private Optional<DeviceShape.Power> power = Optional.empty();
  private Optional<Express> express = Optional.empty();
  private Optional<TdiReport> tdi = Optional.empty();
  private DeviceMeasurements measurements = DeviceMeasurements.usual();
  private OptionalInt secondaryBus = OptionalInt.empty();
  private Optional<ConfigImage> image = Optional.empty();

  DeviceShapeBuilder(int vendor, int device) {
    this.vendor = bits(vendor, 16, "vendor");
    this.device = bits(device, 16, "device");
  }

  private static int bits(int value, int count, String name) {
    if (value >>> count != 0) {
      throw new IllegalArgumentException(
          "%s 0x%x has more than %d bits".formatted(name, value, count));
    }
    return value;
  }

  /** Sets the board's ids; QEMU's if this is not called. */
  public DeviceShapeBuilder subsystem(int vendorId, int deviceId) {
    subsystemVendor = bits(vendorId, 16, "subsystem vendor");
    subsystemDevice = bits(deviceId, 16, "subsystem device");
    return this;
  }

  /** Sets base class, subclass and programming interface; 0x00ff00 if this is not called. */
  public DeviceShapeBuilder classCode(int code) {
    classCode = bits(code, 24, "class");
    return this;
  }

  /** Sets the revision; 0 if this is not called. */
  public DeviceShapeBuilder revision(int number) {
    revision = bits(number, 8, "revision");
    return this;
  }

  /** Adds a BAR. */
  public DeviceShapeBuilder bar(Bar bar) {
    bars.add(bar);
    return this;
  }

  /** Adds an expansion ROM; its content must start with 55 AA. */
  public DeviceShapeBuilder rom(byte... content) {
    rom = Optional.of(MemorySegment.ofArray(content.clone()));
    return this;
  }

  /** Adds an expansion ROM with this content, which is not copied. */
  public DeviceShapeBuilder rom(MemorySegment content) {
    rom = Optional.of(content);
    return this;
  }

  /** Removes the interrupt line. */
  public DeviceShapeBuilder withoutInterruptPin() {
    interruptPin = false;
    return this;
  }

  /** Adds an MSI capability with this many vectors. */
  public DeviceShapeBuilder msi(int vectors) {
    msi = Optional.of(new Msi(vectors));
    return this;
  }

  /** Adds an MSI-X capability. */
  public DeviceShapeBuilder msiX(MsiX capability) {
    msiX = Optional.of(capability);
    return this;
  }

  /** Adds a power management capability. */
  public DeviceShapeBuilder power(DeviceShape.Power capability) {
    power = Optional.of(capability);
    return this;
  }

  /** Adds a PCI Express capability. */
  public DeviceShapeBuilder express(Express capability) {
    express = Optional.of(capability);
    return this;
  }

  /** Sets what it reports about its TEE device interface. */
  public DeviceShapeBuilder tdi(TdiReport report) {
    tdi = Optional.of(report);
    return this;
  }

  /** Sets its measurements; {@link DeviceMeasurements#usual} if this is not called. */
  public DeviceShapeBuilder measurements(DeviceMeasurements measured) {
    measurements = measured;
    return this;
  }

  /** Makes it a bridge to a bus. Its header has no ids of a board. */
  public DeviceShapeBuilder bridgeTo(int bus) {
    subsystem(0, 0);
    secondaryBus = OptionalInt.of(bits(bus, 8, "bus"));
    return this;
  }

  /** Sets its configuration space; the capabilities must be those of this shape. */
  public DeviceShapeBuilder image(ConfigImage recorded) {
    image = Optional.of(recorded);
    return this;
  }

  /**
   * Builds the shape.
   *
   * @throws IllegalArgumentException if BARs overlap, or something lies outside its BAR
   */
  public DeviceShape build() {
    bars.sort((one, other) -> Integer.compare(one.index(), other.index()));
    requireApart();
    msiX.ifPresent(this::requireInside);
    tdi.ifPresent(this::requireInside);
    rom.ifPresent(DeviceShapeBuilder::requireRom);
    return new DeviceShape(
        vendor,
        device,
        subsystemVendor,
        subsystemDevice,
        classCode,
        revision,
        bars,
        rom,
        interruptPin,
        msi,
        msiX,
        power,
        express,
        tdi,
        false,
        measurements,
        secondaryBus,
        image);
  }

  private void requireApart() {
    int most = secondaryBus.isPresent() ? 2 : Bar.MOST;
    int free = 0;
    for (Bar bar : bars) {
      if (bar.index() < free || bar.index() + bar.slots() > most) {
        throw new IllegalArgumentException("BAR%d has no room".formatted(bar.index()));
      }
      free = bar.index() + bar.slots();
    }
  }

  private void requireInside(MsiX capability) {
    requireInside(capability.tableBar(), capability.tableOffset(), capability.tableBytes());
    requireInside(capability.pbaBar(), capability.pbaOffset(), capability.pbaBytes());
  }

  private void requireInside(TdiReport report) {
    int bar = -1;
    long end = 0;
    for (TdiRange range : report.ranges()) {
      requireInside(
          range.bar(),
          range.firstPage() * Page.BYTES,
          Integer.toUnsignedLong(range.pages()) * Page.BYTES);
      long start = range.firstPage() * Page.BYTES;
      if (range.bar() < bar || (range.bar() == bar && start < end)) {
        throw new IllegalArgumentException("the report's ranges do not ascend at " + range);
      }
      bar = range.bar();
      end = range.endBytes();
    }
  }

  private void requireInside(int index, long offset, long bytes) {
    Bar found =
        bars.stream()
            .filter(bar -> bar.index() == index && bar.isMemory())
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("there is no memory BAR" + index));
    if (offset < 0 || offset > found.bytes() - bytes) {
      throw new IllegalArgumentException(
          "0x%x bytes at 0x%x are not inside BAR%d".formatted(bytes, offset, index));
    }
  }

  private static void requireRom(MemorySegment content) {
    if (content.byteSize() < 2
        || content.byteSize() > LARGEST_ROM
        || content.get(ValueLayout.JAVA_BYTE, 0) != 0x55
        || content.get(ValueLayout.JAVA_BYTE, 1) != (byte) 0xaa) {
      throw new IllegalArgumentException("a ROM starts with 55 AA and has 16 MiB at most");
    }
  }
}
