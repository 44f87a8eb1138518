package dev.iolite.tdi.evidence;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Optional;

/** The digest algorithm of an SPDM connection (BaseHashSel of ALGORITHMS). */
public enum HashAlgorithm {
  /** SHA-2 with 256 bits. */
  SHA_256(1, "SHA-256", "SHA256", 32),
  /** SHA-2 with 384 bits. */
  SHA_384(1 << 1, "SHA-384", "SHA384", 48),
  /** SHA-2 with 512 bits. */
  SHA_512(1 << 2, "SHA-512", "SHA512", 64),
  /** SHA-3 with 256 bits. */
  SHA3_256(1 << 3, "SHA3-256", "SHA3-256", 32),
  /** SHA-3 with 384 bits. */
  SHA3_384(1 << 4, "SHA3-384", "SHA3-384", 48),
  /** SHA-3 with 512 bits. */
  SHA3_512(1 << 5, "SHA3-512", "SHA3-512", 64),
  /** The algorithm of the Chinese standard, which the JDK does not have. */
  SM3_256(1 << 6, "SM3", "SM3", 32);

  private final int bit;
  private final String digestName;
  private final String signatureName;
  private final int bytes;

  HashAlgorithm(int bit, String digestName, String signatureName, int bytes) {
    this.bit = bit;
    this.digestName = digestName;
    this.signatureName = signatureName;
    this.bytes = bytes;
  }

  /** The algorithm whose bit is set, if exactly one bit is. */
  static Optional<HashAlgorithm> chosen(int bits) {
    return Arrays.stream(values()).filter(algorithm -> algorithm.bit == bits).findFirst();
  }

  /** Whether the JDK implements it. */
  boolean isKnown() {
    return this != SM3_256;
  }

  /** The JDK's name for it, used alone. */
  String digestName() {
    return digestName;
  }

  /** The JDK's name for it within the name of a signature algorithm. */
  String signatureName() {
    return signatureName;
  }

  /** The length of a digest. */
  int bytes() {
    return bytes;
  }

  byte[] digest(byte[] of) throws NoSuchAlgorithmException {
    return MessageDigest.getInstance(digestName).digest(of);
  }

  /** For example {@code SHA-384}. */
  @Override
  public String toString() {
    return digestName;
  }
}
