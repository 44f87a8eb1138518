package dev.iolite.tdi.evidence;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.EdDSAParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.Arrays;
import java.util.Optional;

/** The signature algorithm of a device (BaseAsymSel of ALGORITHMS). */
public enum SigningAlgorithm {
  /** RSA with 2048 bits, PKCS #1 1.5. */
  RSASSA_2048(1, Kind.RSASSA, 2048, 256),
  /** RSA with 2048 bits, PSS. */
  RSAPSS_2048(1 << 1, Kind.RSAPSS, 2048, 256),
  /** RSA with 3072 bits, PKCS #1 1.5. */
  RSASSA_3072(1 << 2, Kind.RSASSA, 3072, 384),
  /** RSA with 3072 bits, PSS. */
  RSAPSS_3072(1 << 3, Kind.RSAPSS, 3072, 384),
  /** ECDSA on the curve P-256. */
  ECDSA_P256(1 << 4, Kind.ECDSA, 256, 64),
  /** RSA with 4096 bits, PKCS #1 1.5. */
  RSASSA_4096(1 << 5, Kind.RSASSA, 4096, 512),
  /** RSA with 4096 bits, PSS. */
  RSAPSS_4096(1 << 6, Kind.RSAPSS, 4096, 512),
  /** ECDSA on the curve P-384. */
  ECDSA_P384(1 << 7, Kind.ECDSA, 384, 96),
  /** ECDSA on the curve P-521. */
  ECDSA_P521(1 << 8, Kind.ECDSA, 521, 132),
  /** The algorithm of the Chinese standard, which the JDK does not have. */
  SM2_P256(1 << 9, Kind.SM2, 256, 64),
  /** Edwards curve 25519. */
  ED25519(1 << 10, Kind.EDDSA, 255, 64),
  /** Edwards curve 448. */
  ED448(1 << 11, Kind.EDDSA, 448, 114),
  /**
   * ML-DSA, from SPDM 1.4 on, where it is one of the post-quantum algorithms. SPDM signs with a
   * context, which the JDK's ML-DSA does not support.
   */
  ML_DSA_44(1, Kind.ML_DSA, 0, 2420),
  /** Like {@link #ML_DSA_44}. */
  ML_DSA_65(1 << 1, Kind.ML_DSA, 0, 3309),
  /** Like {@link #ML_DSA_44}. */
  ML_DSA_87(1 << 2, Kind.ML_DSA, 0, 4627);

  private enum Kind {
    RSASSA,
    RSAPSS,
    ECDSA,
    SM2,
    EDDSA,
    ML_DSA
  }

  private static final String PURPOSE = "responder-measurements signing";

  private final int bit;
  private final Kind kind;
  private final int keyBits;
  private final int signatureBytes;

  SigningAlgorithm(int bit, Kind kind, int keyBits, int signatureBytes) {
    this.bit = bit;
    this.kind = kind;
    this.keyBits = keyBits;
    this.signatureBytes = signatureBytes;
  }

  /** The algorithm whose bit is set, if exactly one bit is. */
  static Optional<SigningAlgorithm> chosen(int bits) {
    return Arrays.stream(values())
        .filter(algorithm -> algorithm.kind != Kind.ML_DSA && algorithm.bit == bits)
        .findFirst();
  }

  /** The same for the post-quantum algorithms (PqcAsymSel). */
  static Optional<SigningAlgorithm> chosenPostQuantum(int bits) {
    return Arrays.stream(values())
        .filter(algorithm -> algorithm.kind == Kind.ML_DSA && algorithm.bit == bits)
        .findFirst();
  }

  /** Whether an algorithm of a version has signatures of this many bytes. */
  static boolean canSign(SpdmVersion version, long bytes) {
    return Arrays.stream(values())
        .filter(algorithm -> algorithm.kind != Kind.ML_DSA || version.isAtLeast(SpdmVersion.V1_4))
        .anyMatch(algorithm -> algorithm.signatureBytes == bytes);
  }

  int signatureBytes() {
    return signatureBytes;
  }

  /** Whether the JDK implements it. */
  boolean isKnown() {
    return kind != Kind.SM2 && kind != Kind.ML_DSA;
  }

  /** Whether a key can belong to this algorithm. */
  boolean fits(PublicKey key) {
    return switch (key) {
      case RSAPublicKey rsa ->
          (kind == Kind.RSASSA || kind == Kind.RSAPSS) && rsa.getModulus().bitLength() == keyBits;
      case ECPublicKey ec -> kind == Kind.ECDSA && hasOrder(ec.getParams().getOrder());
      case EdECPublicKey ed ->
          kind == Kind.EDDSA && ed.getParams().getName().equalsIgnoreCase(name());
      default -> false;
    };
  }

  private boolean hasOrder(BigInteger order) {
    return order.bitLength() == keyBits;
  }

  /**
   * Whether a signature was made with the key.
   *
   * @param text what was signed: before SPDM 1.2, a transcript; from then on, a text that names its
   *     purpose
   */
  boolean verifies(PublicKey key, HashAlgorithm hash, byte[] text, byte[] signature)
      throws GeneralSecurityException {
    Signature verifier = verifier(hash);
    verifier.initVerify(key);
    verifier.update(text);
    try {
      return verifier.verify(signature);
    } catch (SignatureException _) {
      return false; // It is not a signature at all, for example because a number is too large.
    }
  }

  /** The same signature, if its numbers were written with the lowest byte first. */
  byte[] swapped(byte[] signature) {
    byte[] swapped = signature.clone();
    int number = kind == Kind.ECDSA ? signature.length / 2 : signature.length;
    for (int i = 0; i < signature.length; i++) {
      int start = i - i % number;
      swapped[i] = signature[start + number - 1 - i % number];
    }
    return swapped;
  }

  private Signature verifier(HashAlgorithm hash) throws GeneralSecurityException {
    return switch (kind) {
      case RSASSA -> Signature.getInstance(hash.signatureName() + "withRSA");
      case RSAPSS -> {
        Signature pss = Signature.getInstance("RSASSA-PSS");
        pss.setParameter(
            new PSSParameterSpec(
                hash.digestName(),
                "MGF1",
                new MGF1ParameterSpec(hash.digestName()),
                hash.bytes(),
                PSSParameterSpec.TRAILER_FIELD_BC));
        yield pss;
      }
      case ECDSA -> Signature.getInstance(hash.signatureName() + "withECDSAinP1363Format");
      case EDDSA -> {
        Signature edDsa = Signature.getInstance("EdDSA");
        if (this == ED448) {
          // Signatures on the other curve have no place for a purpose.
          edDsa.setParameter(
              new EdDSAParameterSpec(false, PURPOSE.getBytes(StandardCharsets.US_ASCII)));
        }
        yield edDsa;
      }
      case SM2, ML_DSA -> throw new GeneralSecurityException("the JDK does not have " + this);
    };
  }

  /**
   * What is signed from SPDM 1.2 on: the version four times, the purpose at the end of 36 bytes,
   * and the transcript's digest.
   */
  static byte[] purpose(SpdmVersion version) {
    String head = "dmtf-spdm-v%s.*".formatted(version).repeat(4);
    byte[] bytes = new byte[100];
    byte[] start = head.getBytes(StandardCharsets.US_ASCII);
    byte[] end = PURPOSE.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(start, 0, bytes, 0, start.length);
    System.arraycopy(end, 0, bytes, bytes.length - end.length, end.length);
    return bytes;
  }
}
