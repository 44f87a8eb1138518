package dev.iolite.mock.device;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The shape of a PCI function: everything that its configuration space says at power-on.
 *
 * @param vendor the vendor id, 16 bits
 * @param device the device id, 16 bits
 * @param subsystemVendor the vendor id of the board, 16 bits
 * @param subsystemDevice the device id of the board, 16 bits
 * @param classCode base class, subclass and programming interface, 24 bits
 * @param revision the revision id, 8 bits
 * @param bars its BARs, by index
 * @param rom the expansion ROM's content; empty if there is none
 * @param interruptPin whether it has an interrupt line
 * @param msi its MSI capability
 * @param msiX its MSI-X capability
 * @param power its power management capability
 * @param express its PCI Express capability; without it, the configuration space has 256 bytes
 * @param tdi what it reports about its TEE device interface
 * @param emulatedTee whether a TSM in software supports TDISP for it because it has none itself
 * @param measurements its answer when a TSM asks for its measurements
 * @param secondaryBus the bus behind it if it is a bridge
 * @param image its configuration space as it was recorded, from which the capabilities are then;
 *     empty if the configuration space follows from the rest
 */
public record DeviceShape(
    int vendor,
    int device,
    int subsystemVendor,
    int subsystemDevice,
    int classCode,
    int revision,
    List<Bar> bars,
    Optional<MemorySegment> rom,
    boolean interruptPin,
    Optional<Msi> msi,
    Optional<MsiX> msiX,
    Optional<Power> power,
    Optional<Express> express,
    Optional<TdiReport> tdi,
    boolean emulatedTee,
    DeviceMeasurements measurements,
    OptionalInt secondaryBus,
    Optional<ConfigImage> image) {

  /** What power management does to a function. */
  public enum Power {
    /** The function keeps its state from D3hot to D0 (No_Soft_Reset). */
    KEEPS_STATE,
    /** The function is reset on the way from D3hot to D0. */
    RESETS
  }

  /** Copies the lists. */
  public DeviceShape {
    bars = List.copyOf(bars);
    rom = rom.map(MemorySegment::asReadOnly);
  }

  /** Starts a shape: a function with an interrupt line and nothing else. */
  public static DeviceShapeBuilder builder(int vendor, int device) {
    return new DeviceShapeBuilder(vendor, device);
  }

  /**
   * The same function as a TSM in software presents it (drivers/virt/coco/tsm-sim): all whole pages
   * of its memory BARs are TEE memory, except these ranges and pages with MSI-X structures.
   */
  public DeviceShape takenForTee(TdiRange... shared) {
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
        Optional.of(new SoftwareReport(this, List.of(shared)).make()),
        true,
        SoftwareReport.measurements(vendor, device),
        secondaryBus,
        image);
  }

  /** The BAR with an index; empty if there is none, or it is the second half of another. */
  public Optional<Bar> bar(int index) {
    return bars.stream().filter(bar -> bar.index() == index).findFirst();
  }
}
