package dev.iolite.mock.device;

import java.util.function.Function;

/**
 * A kind of device: its shape, and the behaviour of each device made from it.
 *
 * @param shape its configuration space, BARs and capabilities
 * @param logic makes the behaviour of a new device from its access to DMA and interrupts
 */
public record DeviceModel(DeviceShape shape, Function<DeviceHost, DeviceLogic> logic) {
  /** The same device as a TSM in software presents it; see {@link DeviceShape#takenForTee}. */
  public DeviceModel takenForTee(TdiRange... shared) {
    return new DeviceModel(shape.takenForTee(shared), logic);
  }

  /** A device that does nothing: plain memory behind its BARs. */
  public static DeviceModel memory(DeviceShape shape) {
    return new DeviceModel(shape, _ -> new DeviceLogic() {});
  }
}
