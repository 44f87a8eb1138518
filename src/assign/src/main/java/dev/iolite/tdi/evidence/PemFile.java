package dev.iolite.tdi.evidence;

import dev.iolite.kernel.PreconditionException;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The certificates and public keys of a file in PEM, or of a certificate in DER.
 *
 * @param certificates the certificates, in the file's order
 * @param keys the keys that stand alone, in the file's order
 */
record PemFile(List<X509Certificate> certificates, List<PublicKey> keys) {
  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \\1-----");

  /**
   * Reads a file.
   *
   * @param name the file's name, for messages
   * @throws PreconditionException if it contains none, or one that the JDK does not understand
   */
  static PemFile read(byte[] content, String name) {
    List<X509Certificate> certificates = new ArrayList<>();
    List<PublicKey> keys = new ArrayList<>();
    try {
      Matcher block = BLOCK.matcher(new String(content, StandardCharsets.ISO_8859_1));
      while (block.find()) {
        byte[] der = Base64.getMimeDecoder().decode(block.group(2));
        switch (block.group(1)) {
          case "CERTIFICATE", "X509 CERTIFICATE" -> certificates.addAll(certificates(der));
          case "PUBLIC KEY" -> keys.add(key(der));
          default -> {}
        }
      }
      if (certificates.isEmpty() && keys.isEmpty()) {
        certificates.addAll(certificates(content));
      }
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw unreadable(name, Optional.ofNullable(e.getMessage()).orElseGet(e::toString), e);
    }
    return new PemFile(List.copyOf(certificates), List.copyOf(keys));
  }

  private static PreconditionException unreadable(String name, String observed, Exception cause) {
    PreconditionException failure =
        new PreconditionException(
            "read the certificates of " + name,
            observed,
            "it is another file, or has a key of a kind that the JDK does not have",
            "give certificates or a public key in PEM; 'openssl x509 -in FILE -text' shows one");
    failure.initCause(cause);
    return failure;
  }

  /** Reads certificates in DER, one after another. */
  static List<X509Certificate> certificates(byte[] der) throws CertificateException {
    CertificateFactory factory = CertificateFactory.getInstance("X.509");
    ByteArrayInputStream in = new ByteArrayInputStream(der);
    List<X509Certificate> all = new ArrayList<>();
    do {
      all.add((X509Certificate) factory.generateCertificate(in));
    } while (in.available() > 0);
    return all;
  }

  private static PublicKey key(byte[] der) throws GeneralSecurityException {
    for (String algorithm : List.of("RSA", "RSASSA-PSS", "EC", "EdDSA")) {
      try {
        return KeyFactory.getInstance(algorithm).generatePublic(new X509EncodedKeySpec(der));
      } catch (InvalidKeySpecException _) {
        // It may be a key of the next kind.
      }
    }
    throw new InvalidKeySpecException("a public key that is none of RSA, EC or EdDSA");
  }
}
