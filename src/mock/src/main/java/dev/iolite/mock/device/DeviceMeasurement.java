package dev.iolite.mock.device;

import java.lang.foreign.MemorySegment;

/**
 * One of a device's measurements: a measurement block of SPDM's MEASUREMENTS message (DSP0274 1.2),
 * in DMTF's form.
 *
 * @param index the index with which it is requested: 1 to 254, or 0 or 255, which no device should
 *     use
 * @param type what is measured; with {@link #RAW}, the value is the thing itself, not a digest
 * @param value at most 65,532 bytes
 */
public record DeviceMeasurement(int index, int type, MemorySegment value) {
  /** Immutable firmware. */
  public static final int ROM = 0;

  /** Mutable firmware. */
  public static final int FIRMWARE = 1;

  /** The hardware's configuration, such as fuses. */
  public static final int HARDWARE_CONFIGURATION = 2;

  /** The firmware's configuration. */
  public static final int FIRMWARE_CONFIGURATION = 3;

  /** A manifest of measurements. */
  public static final int MANIFEST = 4;

  /** The modes of the device, such as debug modes. */
  public static final int DEVICE_MODE = 5;

  /** The version number of mutable firmware. */
  public static final int FIRMWARE_VERSION = 6;

  /** The security version number of mutable firmware. */
  public static final int FIRMWARE_SECURITY_VERSION = 7;

  /** The bit of a type that says that the value is not a digest. */
  public static final int RAW = 1 << 7;

  /** The bytes before the value: its type, 1 byte, and its length, 2 bytes. */
  static final int DMTF_HEAD_BYTES = 3;

  private static final int MOST = 0xffff - DMTF_HEAD_BYTES;
  private static final int BYTE = 0xff;

  /** Checks that the message has room for it. */
  public DeviceMeasurement {
    if (index != (index & BYTE) || type != (type & BYTE) || value.byteSize() > MOST) {
      throw new IllegalArgumentException("no such block in a MEASUREMENTS message");
    }
    value = value.asReadOnly();
  }
}
