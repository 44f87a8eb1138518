package dev.iolite.tdi.evidence;

import java.util.Arrays;
import java.util.Optional;

/** What a measurement measures (DMTFSpecMeasurementValueType of DSP0274), with SPDM's numbers. */
public enum MeasurementType {
  /** Immutable firmware. */
  ROM(0, "immutable ROM"),
  /** Mutable firmware. */
  FIRMWARE(1, "mutable firmware"),
  /** The hardware's configuration, such as fuses. */
  HARDWARE_CONFIGURATION(2, "hardware configuration"),
  /** The firmware's configuration. */
  FIRMWARE_CONFIGURATION(3, "firmware configuration"),
  /** A manifest of measurements, in a device-specific form. */
  MANIFEST(4, "measurement manifest"),
  /** The modes of the device and of its debug interfaces. */
  DEVICE_MODE(5, "debug and device mode"),
  /** The version number of mutable firmware, in a device-specific form. */
  FIRMWARE_VERSION(6, "mutable firmware's version"),
  /** Its security version number. */
  FIRMWARE_SECURITY_VERSION(7, "mutable firmware's security version"),
  /** A digest that was extended with one measurement after another, from SPDM 1.3 on. */
  EXTENDED(8, "hash-extended measurement"),
  /** Information that measures nothing, from SPDM 1.3 on. */
  INFORMATIONAL(9, "informational"),
  /** A manifest in the form that its first bytes name, from SPDM 1.3 on. */
  STRUCTURED_MANIFEST(10, "structured measurement manifest");

  private final int number;
  private final String words;

  MeasurementType(int number, String words) {
    this.number = number;
    this.words = words;
  }

  /** The type with a number of 7 bits; empty if the version has none. */
  static Optional<MeasurementType> of(SpdmVersion version, int number) {
    return Arrays.stream(values())
        .filter(type -> type.number == number && number <= last(version))
        .findFirst();
  }

  /** The largest number of a version. */
  static int last(SpdmVersion version) {
    return version.isAtLeast(SpdmVersion.V1_3)
        ? STRUCTURED_MANIFEST.number
        : FIRMWARE_SECURITY_VERSION.number;
  }

  /** For example {@code mutable firmware}. */
  @Override
  public String toString() {
    return words;
  }
}
