package dev.iolite.tdi.evidence;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.ValueLayout;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The signer that is trusted: a device's key or certificate, or a root that vouches for the
 * device's certificate. The cryptography is the JDK's.
 *
 * <p>A signature covers the request, with its nonce, and the answer; from SPDM 1.2 on, also the
 * messages from GET_VERSION to ALGORITHMS.
 */
public final class Trust {
  private static final String TRIED = "verify the signature of the measurements";

  /** The attributes of a request that yield a signature in the answer. */
  private static final int[] SIGNED_ATTRIBUTES = {1, 5, 3, 7};

  private final String name;
  private final PublicKey key;
  private final Optional<X509Certificate> root;
  private Optional<CertificateChain> chain = Optional.empty();
  private Optional<SigningAlgorithm> signing = Optional.empty();
  private Optional<HashAlgorithm> hash = Optional.empty();

  private Trust(String name, PublicKey key, Optional<X509Certificate> root) {
    this.name = name;
    this.key = key;
    this.root = root;
  }

  private Trust(Trust from) {
    this(from.name, from.key, from.root);
    chain = from.chain;
    signing = from.signing;
    hash = from.hash;
  }

  /**
   * Trusts the one certificate or public key of a file, in PEM, or a certificate in DER.
   *
   * @param content the file's content
   * @param name the file's name, for messages
   * @throws PreconditionException if the file contains anything else
   */
  public static Trust of(byte[] content, String name) {
    PemFile pem = PemFile.read(content, name);
    int count = pem.certificates().size() + pem.keys().size();
    if (count != 1) {
      throw new PreconditionException(
          "read the trusted certificate " + name,
          "there are %d certificates and keys in it".formatted(count),
          new Advice(
              "it is a chain of certificates",
              "trust one of them, and give the chain",
              Remedy.GIVE_CHAIN));
    }
    if (pem.certificates().isEmpty()) {
      return new Trust("the key of " + name, pem.keys().getFirst(), Optional.empty());
    }
    X509Certificate certificate = pem.certificates().getFirst();
    return new Trust(nameOf(certificate), certificate.getPublicKey(), Optional.of(certificate));
  }

  private static String nameOf(X509Certificate certificate) {
    return "the key of " + certificate.getSubjectX500Principal();
  }

  /**
   * The same trust, as a root for these certificates of the device.
   *
   * @param content a file's content: SPDM's form (length, digest of the root, DER), DER or PEM
   * @param file the file's name, for messages
   * @throws PreconditionException if the file contains anything else, or a bare key is trusted
   */
  public Trust withChain(byte[] content, String file) {
    if (root.isEmpty()) {
      throw new PreconditionException(
          "verify the certificates of " + file,
          "a bare key is trusted, not a certificate",
          "the key of the device itself was given",
          "give the root's certificate, or leave the chain out");
    }
    Trust changed = new Trust(this);
    changed.chain = Optional.of(CertificateChain.read(content, file));
    return changed;
  }

  /** The same trust, with the algorithms, for messages that do not name them. */
  public Trust withAlgorithms(Optional<SigningAlgorithm> signs, Optional<HashAlgorithm> digests) {
    Trust changed = new Trust(this);
    changed.signing = signs;
    changed.hash = digests;
    return changed;
  }

  /**
   * Verifies the signature.
   *
   * @param nonce the nonce of the request, if that is known
   * @throws UntrustedEvidenceException if it is not the device's, was made for another nonce, or is
   *     missing
   * @throws PreconditionException if it cannot be verified because something is missing: messages
   *     that it covers, or the algorithm in the JDK
   */
  public Verified verify(Evidence evidence, Optional<byte[]> nonce) {
    Measurements answer = evidence.measurements();
    evidence
        .newerVersion()
        .ifPresent(version -> {
          throw new PreconditionException(
              TRIED,
              "the messages are of SPDM %s, and what is signed is known up to %s"
                  .formatted(version, answer.version()),
              "the device is newer than this program",
              "have the device use an older version; nothing was verified");
        });
    byte[] signature =
        answer
            .signature()
            .orElseThrow(() ->
                new UntrustedEvidenceException(
                    "there is none",
                    "anybody on the way may have written them; ask the device for a signature, or"
                        + " see why its TSM does not"))
            .toArray(ValueLayout.JAVA_BYTE);
    Signer signer =
        chain
            .or(() -> chainOf(evidence))
            .map(certificates -> certificates.own(root.orElseThrow()))
            .map(own -> new Signer(nameOf(own), own.getPublicKey(), false))
            .orElseGet(() -> new Signer(name, key, isAuthority()));
    requireNonce(evidence, nonce);
    List<byte[]> transcripts = transcripts(evidence, nonce);
    Candidates candidates = candidates(evidence, signer, signature.length);
    for (byte[] transcript : transcripts) {
      for (Candidate candidate : candidates.all()) {
        if (isSignature(answer.version(), candidate, signer.key(), transcript, signature)) {
          return new Verified(
              candidate.signing(),
              candidate.hash(),
              candidates.areGuessed(),
              signer.name(),
              madeFor(evidence, nonce));
        }
      }
    }
    throw wrong(evidence, signer, candidates, nonce);
  }

  /** The certificates among the messages, which are useful if a certificate is trusted. */
  private Optional<CertificateChain> chainOf(Evidence evidence) {
    return root.flatMap(_ -> evidence.certificates())
        .map(content -> CertificateChain.read(content, "the messages"));
  }

  private boolean isAuthority() {
    return root.filter(certificate -> certificate.getBasicConstraints() >= 0).isPresent();
  }

  /**
   * The required signer.
   *
   * @param isAuthority whether its certificate is for signing certificates
   */
  private record Signer(String name, PublicKey key, boolean isAuthority) {}

  private record Candidate(SigningAlgorithm signing, HashAlgorithm hash) {
    @Override
    public String toString() {
      return signing + " with " + hash;
    }
  }

  private record Candidates(List<Candidate> all, boolean areGuessed) {}

  private static void requireNonce(Evidence evidence, Optional<byte[]> nonce) {
    Optional<byte[]> asked =
        evidence.requests().stream()
            .reduce((_, last) -> last)
            .flatMap(MeasurementsRequest::nonce)
            .map(bytes -> bytes.toArray(ValueLayout.JAVA_BYTE));
    if (asked.isPresent() && nonce.isPresent() && !Arrays.equals(asked.get(), nonce.get())) {
      throw new UntrustedEvidenceException(
          "the request in it has another nonce than the one that was asked with",
          "it was made for another request: it may be old, and the device may have changed since");
    }
  }

  /** The transcripts that may have been signed: one, or one for each possible request. */
  private static List<byte[]> transcripts(Evidence evidence, Optional<byte[]> nonce) {
    Measurements answer = evidence.measurements();
    byte[] before = new byte[0];
    if (answer.version().isAtLeast(SpdmVersion.V1_2)) {
      if (evidence.negotiation().isEmpty()) {
        throw new PreconditionException(
            TRIED,
            "the messages from GET_VERSION to ALGORITHMS are not there, and from SPDM 1.2 on they"
                + " are signed too",
            "the TSM hands out the answer alone, and keeps those messages (VCA) elsewhere",
            "give them before the answer, in a file of their own or in the same one; nothing was"
                + " verified");
      }
      before = evidence.negotiated();
    }
    if (!evidence.requests().isEmpty()) {
      return List.of(joined(before, evidence.exchanged()));
    }
    byte[] asked =
        nonce.orElseThrow(() ->
            new PreconditionException(
                TRIED,
                "the request is not there, and it is signed too",
                "the TSM hands out the answer alone",
                "give the request's nonce, if it asked for all measurements, or the request itself"
                    + " before the answer; nothing was verified"));
    List<byte[]> all = new ArrayList<>();
    for (int attributes : SIGNED_ATTRIBUTES) {
      all.add(
          joined(
              before,
              MeasurementsRequest.rebuilt(answer, asked, attributes),
              evidence.exchanged()));
    }
    return all;
  }

  private static byte[] joined(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  /**
   * The candidates for the algorithms: those that the messages or the user name, or else all that
   * fit the key.
   */
  private Candidates candidates(Evidence evidence, Signer signer, int bytes) {
    Optional<SigningAlgorithm> namedSigning =
        one(evidence.negotiation().flatMap(Negotiation::signing), signing);
    Optional<HashAlgorithm> namedHash =
        one(evidence.negotiation().flatMap(Negotiation::hash), hash);
    namedSigning.filter(one -> !one.isKnown()).ifPresent(one -> refuseUnknown(one.toString()));
    namedHash.filter(one -> !one.isKnown()).ifPresent(one -> refuseUnknown(one.toString()));
    List<SigningAlgorithm> ofKey =
        Arrays.stream(SigningAlgorithm.values()).filter(one -> one.fits(signer.key())).toList();
    if (ofKey.isEmpty()) {
      throw new PreconditionException(
          TRIED,
          "%s is an %s key that SPDM has no algorithm for"
              .formatted(signer.name(), signer.key().getAlgorithm()),
          "SPDM has RSA with 2048, 3072 and 4096 bits, the curves P-256, P-384 and P-521, and"
              + " Ed25519 and Ed448",
          "trust the certificate of the device");
    }
    if (namedSigning.isPresent() && !ofKey.contains(namedSigning.get())) {
      throw new UntrustedEvidenceException(
          "it is made with %s, and %s can be used for %s only"
              .formatted(namedSigning.get(), signer.name(), ofKey),
          "another device's key is trusted, or another device has answered");
    }
    if (ofKey.stream().noneMatch(one -> one.signatureBytes() == bytes)) {
      throw new UntrustedEvidenceException(
          "it has %d bytes, and one by %s has %d"
              .formatted(bytes, signer.name(), ofKey.getFirst().signatureBytes()),
          "another device's key is trusted, or another device has answered");
    }
    List<Candidate> all = new ArrayList<>();
    for (SigningAlgorithm one : namedSigning.map(List::of).orElse(ofKey)) {
      for (HashAlgorithm digests :
          namedHash.map(List::of).orElseGet(() -> List.of(HashAlgorithm.values()))) {
        if (digests.isKnown()) {
          all.add(new Candidate(one, digests));
        }
      }
    }
    return new Candidates(all, all.size() > 1);
  }

  private static <T> Optional<T> one(Optional<T> agreed, Optional<T> demanded) {
    if (agreed.isPresent() && demanded.isPresent() && !agreed.equals(demanded)) {
      throw new UntrustedEvidenceException(
          "the messages name %s, and %s is demanded".formatted(agreed.get(), demanded.get()),
          "the device was set up for another algorithm, or the messages were changed");
    }
    return agreed.or(() -> demanded);
  }

  private static void refuseUnknown(String algorithm) {
    throw new PreconditionException(
        TRIED,
        "it is made with %s, which the JDK does not have".formatted(algorithm),
        "the device was set up for an algorithm of the Chinese standards, or for ML-DSA, which SPDM"
            + " signs with a context",
        "have the device use another of its algorithms; nothing was verified");
  }

  private static boolean isSignature(
      SpdmVersion version,
      Candidate candidate,
      PublicKey key,
      byte[] transcript,
      byte[] signature) {
    try {
      if (version.isAtLeast(SpdmVersion.V1_2)) {
        byte[] text =
            joined(SigningAlgorithm.purpose(version), candidate.hash().digest(transcript));
        return candidate.signing().verifies(key, candidate.hash(), text, signature);
      }
      return candidate.signing().verifies(key, candidate.hash(), transcript, signature)
          || candidate
              .signing()
              .verifies(key, candidate.hash(), transcript, candidate.signing().swapped(signature));
    } catch (GeneralSecurityException _) {
      return false; // The key does not fit, as one for PSS only does not fit PKCS #1.
    }
  }

  private static String madeFor(Evidence evidence, Optional<byte[]> nonce) {
    if (evidence.requests().isEmpty()) {
      return "made for the nonce that was asked with (the request is not there, and was rebuilt)";
    }
    return nonce.isPresent()
        ? "made for the nonce that was asked with"
        : "which request it was made for was not checked: nobody said with which nonce";
  }

  private static UntrustedEvidenceException wrong(
      Evidence evidence, Signer signer, Candidates candidates, Optional<byte[]> nonce) {
    String tried = candidates.all().stream().map(Candidate::toString).toList().toString();
    String covered =
        "%s of SPDM %s".formatted(evidence.messages(), evidence.measurements().version());
    String rebuilt =
        evidence.requests().isEmpty() && nonce.isPresent()
            ? "the answer was made for another nonce or not for all measurements, "
            : "";
    String authority =
        signer.isAuthority()
            ? ". This certificate is for signing certificates: the chain has the device's own"
            : "";
    return new UntrustedEvidenceException(
        "it is not one by %s over %s; tried %s".formatted(signer.name(), covered, tried),
        rebuilt + "messages or signature were changed, or another device has answered" + authority);
  }
}
