package dev.iolite.tdi.evidence;

import java.util.Arrays;
import java.util.Optional;

/** A supported version of SPDM (DSP0274). */
public enum SpdmVersion {
  /** 1.1: a signature covers the requests and answers for measurements, and nothing else. */
  V1_1(0x11),
  /** 1.2: a signature also covers what was negotiated before, and says what it was made for. */
  V1_2(0x12),
  /** 1.3: a request carries 8 bytes that the answer repeats. */
  V1_3(0x13),
  /** 1.4: a signature may use a post-quantum algorithm. */
  V1_4(0x14);

  /** The first byte of messages of the next major version. */
  private static final int NEXT_MAJOR = 0x20;

  private final int number;

  SpdmVersion(int number) {
    this.number = number;
  }

  /** The version with a number; a newer minor version is read as the newest of these. */
  static Optional<SpdmVersion> of(int number) {
    if (isNewer(number)) {
      return Optional.of(V1_4);
    }
    return Arrays.stream(values()).filter(version -> version.number == number).findFirst();
  }

  /** Whether a number is that of a minor version after these. */
  static boolean isNewer(int number) {
    return number > V1_4.number && number < NEXT_MAJOR;
  }

  /** The byte with which a message of this version starts. */
  int number() {
    return number;
  }

  boolean isAtLeast(SpdmVersion other) {
    return compareTo(other) >= 0;
  }

  /** For example {@code 1.2}. */
  @Override
  public String toString() {
    return "%d.%d".formatted(number >> 4, number & 0xf);
  }
}
