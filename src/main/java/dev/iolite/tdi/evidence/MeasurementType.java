package dev.iolite.tdi.evidence;

import java.util.Arrays;
import java.util.Optional;

/** What a measurement is of (DMTFSpecMeasurementValueType of DSP0274 1.2), with SPDM's numbers. */
public enum MeasurementType {
  /** Firmware that can't be changed. */
  ROM(0, "immutable ROM"),
  /** Firmware that can. */
  FIRMWARE(1, "mutable firmware"),
  /** The hardware's configuration, such as fuses. */
  HARDWARE_CONFIGURATION(2, "hardware configuration"),
  /** The firmware's configuration. */
  FIRMWARE_CONFIGURATION(3, "firmware configuration"),
  /** A manifest of measurements, in the device's own form. */
  MANIFEST(4, "measurement manifest"),
  /** The modes of the device and of its debug interfaces. */
  DEVICE_MODE(5, "debug and device mode"),
  /** The version number of firmware that can be changed, in the device's own form. */
  FIRMWARE_VERSION(6, "mutable firmware's version"),
  /** Its security version number. */
  FIRMWARE_SECURITY_VERSION(7, "mutable firmware's security version");

  private final int number;
  private final String words;

  MeasurementType(int number, String words) {
    this.number = number;
    this.words = words;
  }

  /** The type of a number of 7 bits; empty if there is none. */
  static Optional<MeasurementType> of(int number) {
    return Arrays.stream(values()).filter(type -> type.number == number).findFirst();
  }

  /** For example {@code mutable firmware}. */
  @Override
  public String toString() {
    return words;
  }
}
