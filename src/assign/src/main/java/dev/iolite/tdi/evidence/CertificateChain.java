package dev.iolite.tdi.evidence;

import dev.iolite.kernel.PreconditionException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A device's certificates, from the one that the root signed down to the device's own.
 *
 * @param name the file's name, for messages
 * @param certificates the certificates; the device's own is the last
 * @param rootDigest the digest of its root's certificate, if the chain is in SPDM's form
 */
record CertificateChain(
    String name, List<X509Certificate> certificates, Optional<byte[]> rootDigest) {
  /** The head in SPDM's form: the length of the whole and, before 1.4, two reserved bytes. */
  private static final int HEAD_BYTES = 4;

  private static final int SEQUENCE = 0x30;
  private static final Set<Integer> DIGEST_BYTES = Set.of(32, 48, 64);

  /**
   * Reads a chain: SPDM's form (length, digest of the root, DER), certificates in DER one after
   * another, or PEM.
   *
   * @throws PreconditionException if it is none of these
   */
  static CertificateChain read(byte[] content, String name) {
    for (int digest : DIGEST_BYTES.stream().sorted().toList()) {
      int start = HEAD_BYTES + digest;
      if (content.length > start
          && length(content) == content.length
          && content[start] == SEQUENCE) {
        try {
          return new CertificateChain(
              name,
              PemFile.certificates(Arrays.copyOfRange(content, start, content.length)),
              Optional.of(Arrays.copyOfRange(content, HEAD_BYTES, start)));
        } catch (CertificateException _) {
          // A digest may also contain the byte that certificates start with.
        }
      }
    }
    List<X509Certificate> all = PemFile.read(content, name).certificates();
    if (all.isEmpty()) {
      throw new PreconditionException(
          "read the device's certificates of " + name,
          "there is no certificate in it",
          "it is the file of a key",
          "give the device's certificates, in SPDM's form, DER or PEM");
    }
    // Tools write PEM with the device's own certificate first, as in TLS; SPDM has it last.
    boolean isLeafFirst =
        all.size() > 1
            && all.getFirst().getIssuerX500Principal().equals(all.get(1).getSubjectX500Principal())
            && !all.getFirst()
                .getSubjectX500Principal()
                .equals(all.get(1).getSubjectX500Principal());
    return new CertificateChain(name, isLeafFirst ? all.reversed() : all, Optional.empty());
  }

  private static int length(byte[] content) {
    return Short.toUnsignedInt(ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).getShort());
  }

  /**
   * The device's own certificate, once it is proved that the root vouches for it. Revocation is not
   * checked.
   *
   * @throws UntrustedEvidenceException if the root does not vouch for it
   */
  X509Certificate own(X509Certificate root) {
    // A certificate below the root can be trusted, too; the certificate that the digest is of is
    // then above it in the chain.
    int trusted = certificates.indexOf(root);
    List<X509Certificate> below = certificates.subList(trusted + 1, certificates.size());
    try {
      if (rootDigest.isPresent() && !isDigestOf(trusted > 0 ? certificates.getFirst() : root)) {
        throw new UntrustedEvidenceException(
            "the digest of the root in %s is not that of %s"
                .formatted(name, root.getSubjectX500Principal()),
            "the device has its certificates from another root; name that one if you trust it");
      }
      if (below.isEmpty()) {
        return root;
      }
      CertPath path = CertificateFactory.getInstance("X.509").generateCertPath(below.reversed());
      PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
      parameters.setRevocationEnabled(false);
      CertPathValidator.getInstance("PKIX").validate(path, parameters);
      return below.getLast();
    } catch (CertPathValidatorException e) {
      throw untrusted(root, e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java runtime has PKIX", e);
    }
  }

  private UntrustedEvidenceException untrusted(X509Certificate root, CertPathValidatorException e) {
    UntrustedEvidenceException failure =
        new UntrustedEvidenceException(
            "the certificates of %s do not lead to %s: %s"
                .formatted(name, root.getSubjectX500Principal(), e.getMessage()),
            "another root has vouched for this device, one of the certificates has expired, or it"
                + " was changed");
    failure.initCause(e);
    return failure;
  }

  private boolean isDigestOf(X509Certificate root) throws GeneralSecurityException {
    byte[] digest = rootDigest.orElseThrow();
    for (HashAlgorithm hash : HashAlgorithm.values()) {
      if (hash.isKnown()
          && hash.bytes() == digest.length
          && Arrays.equals(hash.digest(root.getEncoded()), digest)) {
        return true;
      }
    }
    return false;
  }
}
