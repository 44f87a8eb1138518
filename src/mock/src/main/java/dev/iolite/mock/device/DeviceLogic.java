package dev.iolite.mock.device;

import dev.iolite.kernel.Registers;
import java.util.Optional;

/**
 * The behaviour of a device. Called under the model's lock, one access at a time; everything it
 * does takes no time.
 *
 * <p>A device without any of these methods is memory behind its BARs.
 */
public interface DeviceLogic {
  /**
   * How the registers of a BAR are reached; asked once, when the device is made. Accesses are
   * aligned and have 1, 2, 4 or 8 bytes; the MSI-X table and pending bits never come here.
   *
   * @return empty for a BAR that is plain memory
   */
  default Optional<Registers> registers(int bar) {
    return Optional.empty();
  }

  /** The function is reset; plain memory is 0 again already. */
  default void reset() {}
}
