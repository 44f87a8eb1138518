package dev.iolite.tdi.evidence;

import java.util.Arrays;
import java.util.Optional;

/** A supported version of SPDM (DSP0274). */
public enum SpdmVersion {
  /** 1.1: a signature covers the requests and answers for measurements, and nothing else. */
  V1_1(0x11),
  /** 1.2: it covers what was negotiated before, too, and says what it was made for. */
  V1_2(0x12),
  /** 1.3: a request carries 8 bytes that the answer repeats. */
  V1_3(0x13);

  private final int number;

  SpdmVersion(int number) {
    this.number = number;
  }

  static Optional<SpdmVersion> of(int number) {
    return Arrays.stream(values()).filter(version -> version.number == number).findFirst();
  }

  /** The byte that a message of it starts with. */
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
