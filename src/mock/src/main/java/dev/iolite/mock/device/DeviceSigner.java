package dev.iolite.mock.device;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.interfaces.ECPrivateKey;
import java.util.HexFormat;

/**
 * The key with which a device signs its measurements: on the curve P-384, over SHA-384, by the
 * rules of SPDM 1.2 (DSP0274). A certificate for that key, which is not the device's business,
 * tells others whether to trust it.
 */
public final class DeviceSigner {
  private static final int KEY_BITS = 384;

  /** The messages from GET_VERSION to ALGORITHMS, with which this is negotiated. */
  private static final byte[] NEGOTIATED =
      HexFormat.of()
          .parseHex(
              // GET_VERSION, and VERSION with only 1.2.
              "10840000"
                  + "1004000000010012"
                  // GET_CAPABILITIES of a requester with certificates and challenges, and
                  // CAPABILITIES with fresh, signed measurements.
                  + "12e10000"
                  + "00000000"
                  + "06000000"
                  + "00100000"
                  + "00100000"
                  + "12610000"
                  + "00000000"
                  + "36000000"
                  + "00100000"
                  + "00100000"
                  // NEGOTIATE_ALGORITHMS, and ALGORITHMS: DMTF's measurements with SHA-384, ECDSA
                  // on P-384, SHA-384.
                  + "12e30000"
                  + "20000102"
                  + "80000000"
                  + "02000000"
                  + "00".repeat(16)
                  + "12630000"
                  + "24000102"
                  + "04000000"
                  + "80000000"
                  + "02000000"
                  + "00".repeat(16));

  /** GET_MEASUREMENTS for all measurements, with a signature; a nonce and slot 0 follow. */
  private static final byte[] REQUEST = {0x12, (byte) 0xe0, 1, (byte) 0xff};

  private static final String VERSION = "dmtf-spdm-v1.2.*";
  private static final String PURPOSE = "responder-measurements signing";
  private static final int PURPOSE_BYTES = 100;

  private final PrivateKey key;

  /**
   * Signs with a key.
   *
   * @param key an {@link ECPrivateKey} on the curve P-384
   */
  public DeviceSigner(PrivateKey key) {
    if (!(key instanceof ECPrivateKey ec) || ec.getParams().getOrder().bitLength() != KEY_BITS) {
      throw new IllegalArgumentException("the device signs with a key on the curve P-384");
    }
    this.key = key;
  }

  /**
   * Everything that a signature covers, one after the other, and then the signature: the
   * negotiation, the request and the answer.
   *
   * @param nonce the request's nonce
   * @param answer the MEASUREMENTS message, without a signature
   */
  byte[] transcript(byte[] nonce, byte[] answer) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(NEGOTIATED);
    all.writeBytes(REQUEST);
    all.writeBytes(nonce);
    all.write(0);
    all.writeBytes(answer);
    try {
      all.writeBytes(sign(MessageDigest.getInstance("SHA-384").digest(all.toByteArray())));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has SHA-384", e);
    }
    return all.toByteArray();
  }

  private byte[] sign(byte[] digest) {
    ByteBuffer text =
        ByteBuffer.allocate(PURPOSE_BYTES + digest.length).order(ByteOrder.LITTLE_ENDIAN);
    text.put(VERSION.repeat(4).getBytes(StandardCharsets.US_ASCII));
    text.position(PURPOSE_BYTES - PURPOSE.length());
    text.put(PURPOSE.getBytes(StandardCharsets.US_ASCII)).put(digest);
    try {
      Signature signer = Signature.getInstance("SHA384withECDSAinP1363Format");
      signer.initSign(key);
      signer.update(text.array());
      return signer.sign();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("the device's key signs nothing", e);
    }
  }
}
