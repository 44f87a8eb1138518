package dev.iolite.mock.device;

import java.util.function.Function;

/**
 * A kind of device: what it looks like, and what each one made of it does.
 *
 * @param shape what it looks like
 * @param logic makes what a new one does, of what it can do by itself
 */
public record DeviceModel(DeviceShape shape, Function<DeviceHost, DeviceLogic> logic) {
  /** The same device as a TSM in software takes it; see {@link DeviceShape#takenForTee}. */
  public DeviceModel takenForTee(TdiRange... shared) {
    return new DeviceModel(shape.takenForTee(shared), logic);
  }

  /** A device that does nothing: plain memory behind its BARs. */
  public static DeviceModel memory(DeviceShape shape) {
    return new DeviceModel(shape, _ -> new DeviceLogic() {});
  }
}
