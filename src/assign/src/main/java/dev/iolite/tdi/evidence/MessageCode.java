package dev.iolite.tdi.evidence;

/** The messages of SPDM that lead to measurements, with their codes. */
enum MessageCode {
  GET_VERSION(0x84),
  VERSION(0x04),
  GET_CAPABILITIES(0xe1),
  CAPABILITIES(0x61),
  NEGOTIATE_ALGORITHMS(0xe3),
  ALGORITHMS(0x63),
  GET_DIGESTS(0x81),
  DIGESTS(0x01),
  GET_CERTIFICATE(0x82),
  CERTIFICATE(0x02),
  GET_MEASUREMENTS(0xe0),
  MEASUREMENTS(0x60);

  private final int number;

  MessageCode(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }
}
