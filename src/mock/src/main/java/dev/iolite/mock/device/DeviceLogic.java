package dev.iolite.mock.device;

import dev.iolite.kernel.Registers;
import java.util.Optional;

/**
 * The behaviour of a device. Called under the model's lock, one access at a time; nothing that it
 * does takes any time.
 *
 * <p>A device without any of these methods is memory behind its BARs.
 */
public interface DeviceLogic {
  /**
   * Access to the registers of a BAR; called once, when the device is made. Accesses are aligned
   * and have 1, 2, 4 or 8 bytes; the MSI-X table and pending bits never come here.
   *
   * @return empty for a BAR that is plain memory
   */
  default Optional<Registers> registers(int bar) {
    return Optional.empty();
  }

  /** Called when the function is reset; plain memory is already 0 again. */
  default void reset() {}
}
