package dev.iolite.mock.tsm;

import dev.iolite.mock.core.TeeFunction;
import java.util.Optional;

/** A TSM's record of a function (struct pci_tsm). */
final class PciTsm {
  private final TeeFunction function;
  private final TeeFunction manager;
  private Optional<Tdi> tdi = Optional.empty();
  private Optional<byte[]> measurements = Optional.empty();

  PciTsm(TeeFunction function, TeeFunction manager) {
    this.function = function;
    this.manager = manager;
  }

  TeeFunction function() {
    return function;
  }

  /** The device security manager, which answers for the function. */
  TeeFunction manager() {
    return manager;
  }

  Optional<Tdi> tdi() {
    return tdi;
  }

  void setTdi(Optional<Tdi> bound) {
    tdi = bound;
    measurements = Optional.empty();
  }

  /** The measurements that are kept to be read; those of one VM are not another's. */
  Optional<byte[]> measurements() {
    return measurements;
  }

  void keepMeasurements(byte[] message) {
    measurements = Optional.of(message);
  }
}
