package dev.iolite.mock.device;

import java.lang.foreign.MemorySegment;

/**
 * One of a device's measurements: a measurement block of SPDM's MEASUREMENTS message (DSP0274 1.2),
 * in DMTF's form.
 *
 * @param index by which it can be asked for: 1 to 254, or what no device should use, 0 or 255
 * @param type what it is of, and with {@link #RAW} that the value is the thing itself, not a digest
 * @param value at most 65,532 bytes
 */
public record DeviceMeasurement(int index, int type, MemorySegment value) {
  /** Of firmware that can't be changed. */
  public static final int ROM = 0;

  /** Of firmware that can. */
  public static final int FIRMWARE = 1;

  /** Of the hardware's configuration, such as fuses. */
  public static final int HARDWARE_CONFIGURATION = 2;

  /** Of the firmware's configuration. */
  public static final int FIRMWARE_CONFIGURATION = 3;

  /** A manifest of measurements. */
  public static final int MANIFEST = 4;

  /** The modes of the device, such as debug modes. */
  public static final int DEVICE_MODE = 5;

  /** The version number of firmware that can be changed. */
  public static final int FIRMWARE_VERSION = 6;

  /** Its security version number. */
  public static final int FIRMWARE_SECURITY_VERSION = 7;

  /** The bit of a type that says that the value is no digest. */
  public static final int RAW = 1 << 7;

  /** What stands before the value: its type, 1 byte, and its length, 2 bytes. */
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
